"""ADD and SUB.

    u_i = (x_i - z_i) 2^L scaled by s_i / (2 max(s_1, s_2)),   L = 20 for int8, 15 for int16
    y   = clamp(z_y + (u_1 +- u_2) scaled by 2 max(s_1, s_2) / (2^L s_y))

Every scaling rounds twice. The factors are worked out in double precision.

Sources: tensorflow/lite/kernels/internal/reference/add.h and sub.h,
tensorflow/lite/micro/kernels/add_common.cc and sub_common.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    Requantizer,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.kernels.binary_table import binary
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import Activation, AddOptions, SubOptions


def prepare_add(node: Node) -> Invoke:
    """y = x1 + x2."""
    return _prepare(node, node.options(AddOptions).fused_activation_function, sign=1)


def prepare_sub(node: Node) -> Invoke:
    """y = x1 - x2."""
    return _prepare(node, node.options(SubOptions).fused_activation_function, sign=-1)


def _prepare(node: Node, activation: Activation, sign: int) -> Invoke:
    first, second, y = node.input(0), node.input(1), node.output()
    scales = [float(view.scale) for view in (first, second, y)]
    if any(scale <= 0 for scale in scales):
        raise node.error("needs a scale above 0 for both inputs and the output")
    left_shift = 20 if y.array.dtype == np.int8 else 15
    twice_largest = 2 * max(scales[0], scales[1])
    factors = (
        scales[0] / twice_largest,
        scales[1] / twice_largest,
        twice_largest / ((1 << left_shift) * scales[2]),
    )
    if max(factors) >= 1:
        raise node.error(
            f"scales by {max(factors):g}, which TFLM refuses: the inputs' scale is too coarse "
            "for the output's"
        )
    low, high = activation_range(node, activation, y)
    requantize = Requantizer.from_factor(factors[2], zero_point=y.zero_point, low=low, high=high)
    first_scaled = _scaled_values(first, factors[0], left_shift)
    second_scaled = sign * _scaled_values(second, factors[1], left_shift)
    bits = np.dtype(f"u{y.array.dtype.itemsize}")

    def add(q1: NDArray[Any], q2: NDArray[Any]) -> NDArray[Any]:
        total = first_scaled.take(q1.view(bits)) + second_scaled.take(q2.view(bits))
        return requantize(total, y.array.dtype)

    return binary(add, node)


def _scaled_values(operand: View, factor: float, left_shift: int) -> NDArray[np.int64]:
    """u_i of every value that the operand's type can hold, in the order of the bit patterns."""
    dtype = operand.array.dtype
    bits = np.dtype(f"u{dtype.itemsize}")
    values = np.arange(2 ** (8 * dtype.itemsize), dtype=bits).view(dtype).astype(np.int64)
    shifted = (values - operand.zero_point) << left_shift
    return multiply_by_quantized_multiplier(shifted, *quantize_multiplier(factor))


_SIGNATURES = ("int8, int8 -> int8", "int16, int16 -> int16")

KERNELS = {
    "ADD": Kernel(prepare_add, _SIGNATURES, "tensorflow/lite/kernels/internal/reference/add.h"),
    "SUB": Kernel(prepare_sub, _SIGNATURES, "tensorflow/lite/kernels/internal/reference/sub.h"),
}
