"""MUL.

    y = clamp(z_y + (x1 - z_1)(x2 - z_2) scaled by s_1 s_2 / s_y)

rounded twice.

Sources: tensorflow/lite/kernels/internal/reference/integer_ops/mul.h,
tensorflow/lite/micro/kernels/mul_common.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import Requantizer
from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.kernels.binary_table import binary
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import MulOptions


def prepare_mul(node: Node) -> Invoke:
    """y = x1 x2."""
    first, second, y = node.input(0), node.input(1), node.output()
    if y.scale <= 0:
        raise node.error("needs a scale above 0 for the output")
    if y.array.dtype == np.int16 and (first.zero_point, second.zero_point, y.zero_point) != (
        0, 0, 0,
    ):  # fmt: skip
        raise node.error("needs zero points of 0 for int16")
    low, high = activation_range(node, node.options(MulOptions).fused_activation_function, y)
    requantize = Requantizer.from_factor(
        float(first.scale) * float(second.scale) / float(y.scale),
        zero_point=y.zero_point,
        low=low,
        high=high,
    )

    def multiply(q1: NDArray[Any], q2: NDArray[Any]) -> NDArray[Any]:
        product = (q1.astype(np.int64) - first.zero_point) * (
            q2.astype(np.int64) - second.zero_point
        )
        return requantize(product, y.array.dtype)

    return binary(multiply, node)


KERNELS = {
    "MUL": Kernel(
        prepare_mul,
        ("int8, int8 -> int8", "int16, int16 -> int16"),
        "tensorflow/lite/kernels/internal/reference/integer_ops/mul.h",
    )
}
