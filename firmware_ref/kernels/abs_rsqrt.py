"""ABS and RSQRT.

Source: tensorflow/lite/micro/kernels/elementwise.cc.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from firmware_ref.fixed_point_functions import inverse_square_root
from firmware_ref.kernels.elementwise_table import elementwise
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node

_FRACTION_BITS = 20  # kShift: keeps 1 / sqrt(x - z_x) an integer
_MOST_RIGHT_SHIFTS = 31


def prepare_abs(node: Node) -> Invoke:
    """y = clamp(z_y + M |x - z_x|), M = s_x / s_y; no rounding where the scales are equal."""
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    info = np.iinfo(y.array.dtype)
    if y.array.dtype == np.int16 and (x.zero_point, y.zero_point) != (0, 0):
        raise node.error("needs zero points of 0 for int16")
    factor = quantize_multiplier(float(x.scale) / float(y.scale))

    def absolute(q: NDArray[Any]) -> NDArray[Any]:
        value = np.abs(q.astype(np.int64) - x.zero_point)
        if x.scale != y.scale:
            value = multiply_by_quantized_multiplier(value, *factor)
        return np.clip(value + y.zero_point, info.min, info.max)

    return elementwise(node, absolute)


def prepare_rsqrt(node: Node) -> Invoke:
    """y = clamp(z_y + M / sqrt(x - z_x)), M = 1 / (sqrt(s_x) s_y); of 0 the largest output.

    1 / sqrt is worked out by five Newton steps in fixed point, and kept with 20 binary places.
    """
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    info = np.iinfo(y.array.dtype)
    multiplier, shift = quantize_multiplier(1.0 / (math.sqrt(float(x.scale)) * float(y.scale)))
    if int(shift) - _FRACTION_BITS < -_MOST_RIGHT_SHIFTS:
        raise node.error(
            f"scales by 2^{int(shift)} at most, for which TFLM shifts by more than 31 places"
        )

    def rsqrt(q: NDArray[Any]) -> NDArray[Any]:
        value = q.astype(np.int64) - x.zero_point
        root, root_shift = inverse_square_root(np.maximum(value, 1))
        fraction = multiply_by_quantized_multiplier(1, root, root_shift + _FRACTION_BITS)
        scaled = multiply_by_quantized_multiplier(fraction, multiplier, int(shift) - _FRACTION_BITS)
        result = np.clip(scaled + y.zero_point, info.min, info.max)
        return np.where(value == 0, info.max, result)

    look_up = elementwise(node, rsqrt)

    def invoke() -> None:
        if x.array.min() < x.zero_point:
            raise node.error("received a negative number, of which it has no result")
        look_up()

    return invoke


_REFERENCE = "tensorflow/lite/micro/kernels/elementwise.cc"

KERNELS = {
    "ABS": Kernel(prepare_abs, ("int8 -> int8", "int16 -> int16"), _REFERENCE),
    "RSQRT": Kernel(prepare_rsqrt, ("int8 -> int8",), _REFERENCE, "fails on negative numbers"),
}
