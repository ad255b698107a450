"""A real function on int16 as a table of 513 values with linear interpolation between them.

Sources: gen_lut (LUTPopulate) and generic_int16_table_lookup (LUTLookup) in
tensorflow/lite/kernels/internal/common.h.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firmware_ref.fixed_point import Int64Array, round_half_away

_STEPS = 512
_OUTPUT_STEPS_PER_UNIT = np.float32(32768)  # Q0.15

Float32Function = Callable[[NDArray[np.float32]], NDArray[np.float32]]


def int16_table(function: Float32Function, low: float, high: float) -> Int64Array:
    """Q0.15 values of `function` at 513 points of [low, high], moved by half the midpoint error.

    Between two points the interpolation misses the function most in the middle; half of that miss
    is taken off the left point. All in float32.
    """
    step = np.float32((high - low) / _STEPS)
    points = np.float32(low) + np.arange(_STEPS, dtype=np.float32) * step
    sample = round_half_away(function(points) * _OUTPUT_STEPS_PER_UNIT)
    following = function(points + step) * _OUTPUT_STEPS_PER_UNIT
    interpolated = round_half_away((following + sample) / np.float32(2))
    middle = round_half_away(function(points + step / np.float32(2)) * _OUTPUT_STEPS_PER_UNIT)
    bias = round_half_away((interpolated - middle) / np.float32(2))
    last = round_half_away(function(np.array([high], np.float32)) * _OUTPUT_STEPS_PER_UNIT)
    table = np.concatenate([sample - bias, last])
    limited: Int64Array = np.clip(table, -32768, 32767).astype(np.int64)
    return limited


def look_up(x: ArrayLike, table: Int64Array) -> Int64Array:
    """The function at int16 x, where -32768 stands for the table's low and 32767 for its high."""
    values = np.asarray(x, dtype=np.int64)
    index = 256 + (values >> 7)
    base = table[index]
    slope = table[index + 1] - base
    result: Int64Array = base + ((slope * (values & 0x7F) + 64) >> 7)
    return result
