"""QUANTIZE and DEQUANTIZE: between real numbers and integers, and between integer scales.

Sources: tensorflow/lite/micro/kernels/quantize_common.cc and dequantize_common.cc,
tensorflow/lite/kernels/internal/reference/quantize.h, requantize.h and dequantize.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    round_half_away,
    wrap_int32,
)
from firmware_ref.kernels.elementwise_table import elementwise
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node


def prepare_quantize(node: Node) -> Invoke:
    """From float: y = clamp(z_y + round(x / s_y)); from integers: y = clamp(z_y + M (x - z_x)).

    M = s_x / s_y. The real quotient is taken in float32 and rounded half away from zero; where it
    does not fit an int32 it saturates and NaN becomes 0, as Arm's conversion instructions do.
    """
    x, y = node.input(0), node.output()
    require_scales(node, y)
    info = np.iinfo(y.array.dtype)

    def quantize(real: NDArray[Any]) -> NDArray[Any]:
        with np.errstate(over="ignore", invalid="ignore"):
            quotient = round_half_away(real / y.scale)
        # float32 cannot hold 2^31 - 1; float64 can.
        limited = np.clip(np.nan_to_num(quotient.astype(np.float64)), -(2.0**31), 2.0**31 - 1)
        return np.clip(limited.astype(np.int64) + y.zero_point, info.min, info.max)

    if x.array.dtype == np.float32:
        return elementwise(node, quantize)

    require_scales(node, x)
    multiplier, shift = quantize_multiplier(float(x.scale) / float(y.scale))

    def requantize(q: NDArray[Any]) -> NDArray[Any]:
        centred = wrap_int32(q.astype(np.int64) - x.zero_point)
        scaled = multiply_by_quantized_multiplier(centred, multiplier, shift)
        return np.clip(wrap_int32(scaled + y.zero_point), info.min, info.max)

    return elementwise(node, requantize)


def prepare_dequantize(node: Node) -> Invoke:
    """y = s_x (x - z_x), in float32."""
    x = node.input(0)
    require_scales(node, x)

    def dequantize(q: NDArray[Any]) -> NDArray[Any]:
        result: NDArray[Any] = x.scale * (q.astype(np.int64) - x.zero_point).astype(np.float32)
        return result

    return elementwise(node, dequantize)


KERNELS = {
    "QUANTIZE": Kernel(
        prepare_quantize,
        (
            "float32 -> int8",
            "float32 -> int16",
            "int8 -> int8",
            "int8 -> int16",
            "int8 -> int32",
            "int8 -> uint8",
            "uint8 -> int8",
            "int16 -> int8",
            "int16 -> int16",
            "int16 -> int32",
            "int32 -> int8",
            "int32 -> int16",
        ),
        "tensorflow/lite/micro/kernels/quantize_common.cc",
    ),
    "DEQUANTIZE": Kernel(
        prepare_dequantize,
        ("int8 -> float32", "int16 -> float32"),
        "tensorflow/lite/micro/kernels/dequantize_common.cc",
    ),
}
