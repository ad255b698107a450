"""HARD_SWISH on int8, in 16-bit fixed point.

Sources: tensorflow/lite/micro/kernels/hard_swish_common.cc (Prepare),
tensorflow/lite/kernels/internal/reference/hard_swish.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firmware_ref.fixed_point import (
    Int64Array,
    quantize_multiplier,
    reduce_multiplier_to_16_bits,
    rounding_divide_by_pot,
)
from firmware_ref.kernels.elementwise_table import elementwise
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node

_INT16_MIN, _INT16_MAX = -(2**15), 2**15 - 1


def _high_mul_int16(a: Int64Array, b: ArrayLike) -> Int64Array:
    """SaturatingRoundingDoublingHighMul of int16: floor((ab + 2^14) / 2^15)."""
    return np.minimum((a * np.asarray(b, np.int64) + 2**14) >> 15, _INT16_MAX)


def _high_mul_towards_zero_int16(a: Int64Array, b: Int64Array) -> Int64Array:
    """SaturatingDoublingHighMul of int16: ab / 2^15 rounded towards zero."""
    product = a * b
    quotient: Int64Array = np.minimum(np.sign(product) * (np.abs(product) >> 15), _INT16_MAX)
    return quotient


def _rounding_divide_int16(x: Int64Array, exponent: int) -> Int64Array:
    """RoundingDivideByPOT of int16; from 2^16 on its mask is cut to -1, which leaves 1 or -1."""
    if exponent < 16:
        return rounding_divide_by_pot(x, exponent)
    return np.where(x < 0, np.int64(-1), np.int64(1))


def _shift_left_int16(x: Int64Array, bits: int) -> Int64Array:
    """SaturatingLeftShift of int16."""
    return np.clip(x << bits, _INT16_MIN, _INT16_MAX)


def prepare_hard_swish(node: Node) -> Invoke:
    """y = x * relu6(x + 3) / 6.

    With h = (x - z_x) * 2^7, the input with all its bits high:
    preshift = high_mul(h, m_out); r = h on the scale where 3.0 is 2^15, saturated, then mapped
    from [-1, 1] to [0, 1]; y = clamp(z_y + round((r * preshift) * 2^e_out)).
    """
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    hires_scale = np.float32(1.0 / 128.0) * x.scale
    output_multiplier, output_exponent = quantize_multiplier(hires_scale / y.scale)
    reluish_multiplier, reluish_exponent = quantize_multiplier(
        hires_scale / np.float32(3.0 / 32768.0)
    )
    if output_exponent > 0:
        raise node.error(
            f"needs an output scale of at least 1/128 of the input's; received {x.scale} "
            f"for the input and {y.scale} for the output"
        )
    output_factor = reduce_multiplier_to_16_bits(output_multiplier)
    reluish_factor = reduce_multiplier_to_16_bits(reluish_multiplier)
    exponent = int(reluish_exponent)

    def hard_swish(q: NDArray[Any]) -> NDArray[Any]:
        hires = (q.astype(np.int64) - x.zero_point) << 7
        preshift = _high_mul_int16(hires, output_factor)
        # The last bit of a left shift comes after the multiplication, so that only it saturates.
        reluish = _shift_left_int16(hires, exponent - 1) if exponent > 0 else hires
        reluish = _high_mul_int16(reluish, reluish_factor)
        if exponent > 0:
            reluish = _shift_left_int16(reluish, 1)
        elif exponent < 0:
            reluish = _rounding_divide_int16(reluish, -exponent)
        reluish = (reluish + (1 << 15)) >> 1
        product = _high_mul_towards_zero_int16(reluish, preshift)
        return np.clip(
            _rounding_divide_int16(product, -int(output_exponent)) + y.zero_point, -128, 127
        )

    return elementwise(node, hard_swish)


KERNELS = {
    "HARD_SWISH": Kernel(
        prepare_hard_swish,
        ("int8 -> int8",),
        "tensorflow/lite/kernels/internal/reference/hard_swish.h",
    )
}
