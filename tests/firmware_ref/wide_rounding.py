"""TFLM's rounding of int64 accumulators as its source has it, to hold `Requantizer` against."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from firmware_ref.fixed_point import Int64Array, reduce_multiplier_to_16_bits, wrap_int32


def multiply_int64_by_quantized_multiplier(
    x: ArrayLike, multiplier: ArrayLike, shift: ArrayLike
) -> Int64Array:
    """x * m * 2^(s - 31) for an int64 x below 2^47 (16x8 accumulators), rounded once, ties up.

    The multiplier is cut to 16 bits first: m' = (m + 2^15) >> 16, at most 0x7FFF;
    y = (x * m' + 2^(14 - s)) >> (15 - s). Source: MultiplyByQuantizedMultiplier(int64_t, ...).
    """
    reduced = reduce_multiplier_to_16_bits(multiplier)
    total_shift = 15 - np.asarray(shift, dtype=np.int64)
    product = np.asarray(x, dtype=np.int64) * reduced
    return wrap_int32((product + (np.int64(1) << (total_shift - 1))) >> total_shift)
