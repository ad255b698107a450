"""LOGISTIC and TANH: gemmlowp fixed point for int8, table and interpolation for int16.

Sources: tensorflow/lite/micro/kernels/logistic_common.cc and tanh.cc (Prepare),
tensorflow/lite/kernels/internal/reference/integer_ops/logistic.h and tanh.h.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref import fixed_point_functions as functions
from firmware_ref.fixed_point import (
    Int64Array,
    multiply_by_quantized_multiplier,
    round_half_away,
    rounding_divide_by_pot,
)
from firmware_ref.kernels.elementwise_table import Elementwise, elementwise
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node
from firmware_ref.sigmoid_table import logistic_int16, tanh_int16

_INPUT_INTEGER_BITS = 4  # int8 inputs are rescaled to Q4.27


def input_radius(integer_bits: int, left_shift: int) -> int:
    """The largest |q| whose rescaled value stays inside Q(integer_bits).

    floor((2^integer_bits - 1) * 2^(31 - integer_bits) / 2^left_shift).
    Source: CalculateInputRadius in quantization_util.cc.
    """
    largest = float((2**integer_bits - 1) * 2 ** (31 - integer_bits))
    return math.floor(math.ldexp(largest, -left_shift))


def checked_log2(scale: np.float32) -> tuple[int, bool]:
    """(n, whether scale is 2^n up to a thousandth of an octave), in float32.

    Source: CheckedLog2 in quantization_util.cc.
    """
    log2 = np.log(scale) * (np.float32(1) / np.log(np.float32(2)))
    rounded = round_half_away(log2)
    return int(rounded), bool(np.abs(log2 - rounded) < np.float32(1e-3))


def _saturating_int8(
    q: NDArray[Any], *, zero_point: int, multiplier: int, left_shift: int, logistic: bool
) -> NDArray[np.int8]:
    """y = clamp(round(f(x) * 2^b) + z) with x in Q4.27 and f in Q0.31.

    b, z = 8, -128 for logistic and 7, 0 for tanh; |q - zero_point| past the radius saturates.
    """
    centred = q.astype(np.int64) - zero_point
    radius = input_radius(_INPUT_INTEGER_BITS, left_shift)
    inside = np.abs(centred) < radius
    raw = multiply_by_quantized_multiplier(np.where(inside, centred, 0), multiplier, left_shift)
    result: Int64Array
    if logistic:
        result = rounding_divide_by_pot(functions.logistic(raw, _INPUT_INTEGER_BITS), 23) - 128
    else:
        result = rounding_divide_by_pot(functions.tanh(raw, _INPUT_INTEGER_BITS), 24)
    # A radius of 0 sends 0 itself to the lower end: the lower bound is compared first.
    ends = np.where(centred <= -radius, -128, 127)
    result = np.where(inside, np.clip(result, -128, 127), ends)
    return result.astype(np.int8)


def _prepare_int8(node: Node, logistic: bool) -> Invoke:
    x, y = node.input(0), node.output()
    require_scales(node, x)
    if logistic and y.zero_point != -128:
        raise node.error(f"needs an int8 output with zero point -128, received {y.zero_point}")
    # Q4.27 of one input step; a float32 scale has no bits left to round.
    fraction, left_shift = math.frexp(float(x.scale) * 2.0 ** (31 - _INPUT_INTEGER_BITS))
    multiplier = int(round_half_away(fraction * 2.0**31))
    function: Elementwise = partial(
        _saturating_int8,
        zero_point=x.zero_point,
        multiplier=multiplier,
        left_shift=left_shift,
        logistic=logistic,
    )
    return elementwise(node, function)


def _prepare_int16(node: Node, logistic: bool) -> Invoke:
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    if (x.zero_point, y.zero_point) != (0, 0):
        raise node.error(
            f"needs int16 zero points of 0, received {x.zero_point} and {y.zero_point}"
        )
    if checked_log2(y.scale) != (-15, True):
        raise node.error(f"needs an int16 output scale of 2^-15, received {y.scale}")
    exponent, is_power_of_two = checked_log2(x.scale)
    left_shift = 15 - 3 + exponent
    multiplier = 0
    if not (is_power_of_two and left_shift in ((0,) if logistic else (0, 1))):
        # Bring the input scale to 1 / (3 * 4096), that of the table, with 15 bits of precision.
        factor = float(x.scale) * 4096.0 * 3.0
        left_shift = 0
        while factor <= 32767.0 / 2.0 and left_shift <= 30:
            left_shift += 1
            factor *= 2.0
        multiplier = int(factor)
    table_function = logistic_int16 if logistic else tanh_int16
    return elementwise(node, partial(table_function, multiplier=multiplier, left_shift=left_shift))


def prepare_logistic(node: Node) -> Invoke:
    """y = 1 / (1 + exp(-x)); int8 output has scale 1/256 and zero point -128, int16 scale 2^-15."""
    prepare = _prepare_int8 if node.input(0).array.dtype == np.int8 else _prepare_int16
    return prepare(node, logistic=True)


def prepare_tanh(node: Node) -> Invoke:
    """y = tanh(x); int8 output has scale 1/128 and zero point 0, int16 scale 2^-15."""
    prepare = _prepare_int8 if node.input(0).array.dtype == np.int8 else _prepare_int16
    return prepare(node, logistic=False)


_SIGNATURES = ("int8 -> int8", "int16 -> int16")

KERNELS = {
    "LOGISTIC": Kernel(
        prepare_logistic, _SIGNATURES, "tensorflow/lite/micro/kernels/logistic_common.cc"
    ),
    "TANH": Kernel(prepare_tanh, _SIGNATURES, "tensorflow/lite/micro/kernels/tanh.cc"),
}
