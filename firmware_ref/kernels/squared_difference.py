"""SQUARED_DIFFERENCE, the part of a layer normalisation that is an operator of its own.

    u_i = (x_i - z_i) 2^L scaled by s_i / (2 max(s_1, s_2)),   L = 7 for int8, 0 for int16
    y   = clamp(z_y + (u_1 - u_2)^2 scaled by (2 max(s_1, s_2))^2 / (2^2L s_y))

Every scaling rounds twice. 2^2L s_y is a product in single precision, the factors in double.

Source: tensorflow/lite/micro/kernels/squared_difference.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from firmware_ref.kernels.binary_table import binary
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node, View

MAX_BROADCAST_RANK = 4
"""BroadcastBinaryFunction4DSlow."""


def prepare_squared_difference(node: Node) -> Invoke:
    """y = (x1 - x2)^2."""
    first, second, y = node.input(0), node.input(1), node.output()
    require_scales(node, first, second, y)
    dtype = y.array.dtype
    if dtype == np.int16 and (first.zero_point, second.zero_point, y.zero_point) != (0, 0, 0):
        raise node.error("needs zero points of 0 for int16")
    if first.shape != second.shape and len(y.shape) > MAX_BROADCAST_RANK:
        raise node.error(
            f"broadcasts {len(y.shape)} dimensions; TFLM takes at most {MAX_BROADCAST_RANK}"
        )
    left_shift = 7 if dtype == np.int8 else 0
    twice_largest = 2.0 * float(max(first.scale, second.scale))
    steps = float(np.float32(1 << 2 * left_shift) * y.scale)
    multiplier, shift = quantize_multiplier(twice_largest**2 / steps)
    info = np.iinfo(dtype)

    def scaled(q: NDArray[Any], operand: View) -> NDArray[np.int64]:
        factor = quantize_multiplier(float(operand.scale) / twice_largest)
        return multiply_by_quantized_multiplier(
            (q.astype(np.int64) - operand.zero_point) << left_shift, *factor
        )

    def squared_difference(q1: NDArray[Any], q2: NDArray[Any]) -> NDArray[Any]:
        difference = scaled(q1, first) - scaled(q2, second)
        square = multiply_by_quantized_multiplier(difference**2, multiplier, shift)
        return np.clip(square + y.zero_point, info.min, info.max)

    return binary(squared_difference, node)


KERNELS = {
    "SQUARED_DIFFERENCE": Kernel(
        prepare_squared_difference,
        ("int8, int8 -> int8", "int16, int16 -> int16"),
        "tensorflow/lite/micro/kernels/squared_difference.cc",
        f"broadcasts at most {MAX_BROADCAST_RANK} dimensions",
    )
}
