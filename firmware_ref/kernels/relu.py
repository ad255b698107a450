"""RELU, RELU6, LEAKY_RELU and PRELU.

Sources: tensorflow/lite/micro/kernels/activations_common.cc and activations.h,
leaky_relu_common.cc, prelu_common.cc; tensorflow/lite/kernels/internal/reference/leaky_relu.h
and prelu.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from firmware_ref.kernels.activation_range import quantised_steps
from firmware_ref.kernels.binary_table import binary
from firmware_ref.kernels.elementwise_table import elementwise
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_same_size, require_scales
from firmware_ref.node import Invoke, Node
from firmware_ref.options import LeakyReluOptions

_SIGNATURES = ("int8 -> int8", "int16 -> int16")
_MAX_BROADCAST_RANK = 4  # BroadcastPrelu4DSlow


def prepare_relu(node: Node) -> Invoke:
    """y = clamp(z_y + M (x - z_x), z_y, qmax) with M = s_x / s_y."""
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    if x.array.dtype == np.int16 and (x.zero_point, y.zero_point) != (0, 0):
        raise node.error(
            f"needs int16 zero points of 0, received {x.zero_point} and {y.zero_point}"
        )
    multiplier, shift = quantize_multiplier(float(x.scale) / float(y.scale))
    low, high = max(np.iinfo(y.array.dtype).min, y.zero_point), np.iinfo(y.array.dtype).max
    input_zero_point, output_zero_point = x.zero_point, y.zero_point

    def relu(q: NDArray[Any]) -> NDArray[Any]:
        centred = q.astype(np.int64) - input_zero_point
        scaled = multiply_by_quantized_multiplier(centred, multiplier, shift)
        return np.clip(scaled + output_zero_point, low, high)

    return elementwise(node, relu)


def prepare_relu6(node: Node) -> Invoke:
    """y = clamp(x, z_x, quantised 6): no rescaling, whatever the output's scale says."""
    x = node.input(0)
    require_scales(node, x)
    info = np.iinfo(x.array.dtype)
    six = quantised_steps(node, 6.0, x.scale) + x.zero_point
    low, high = x.zero_point, min(max(six, info.min), info.max)

    def relu6(q: NDArray[Any]) -> NDArray[Any]:
        return np.clip(q, low, high)

    return elementwise(node, relu6)


def prepare_leaky_relu(node: Node) -> Invoke:
    """y = clamp(z_y + M (x - z_x)), M = s_x / s_y for x >= z_x and s_x alpha / s_y below.

    With a negative alpha TFLM gives the negated product by |alpha| (ties of the first rounding go
    down, not up).
    """
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    alpha = float(np.float32(node.options(LeakyReluOptions).alpha))
    identity = quantize_multiplier(float(x.scale) / float(y.scale))
    factor = float(x.scale) * alpha / float(y.scale)
    below = quantize_multiplier(np.abs(factor))
    sign = -1 if factor < 0 else 1
    info = np.iinfo(y.array.dtype)
    input_zero_point, output_zero_point = x.zero_point, y.zero_point

    def leaky_relu(q: NDArray[Any]) -> NDArray[Any]:
        centred = q.astype(np.int64) - input_zero_point
        scaled = np.where(
            centred >= 0,
            multiply_by_quantized_multiplier(centred, *identity),
            sign * multiply_by_quantized_multiplier(centred, *below),
        )
        return np.clip(scaled + output_zero_point, info.min, info.max)

    return elementwise(node, leaky_relu)


def prepare_prelu(node: Node) -> Invoke:
    """y = clamp(z_y + M1 (x - z_x)) for x >= z_x, else clamp(z_y + M2 (x - z_x)(a - z_a)).

    M1 = s_x / s_y, M2 = s_x s_a / s_y; alpha is broadcast to the shape of x.
    """
    x, alpha, y = node.input(0), node.input(1), node.output()
    require_scales(node, x, alpha, y)
    require_same_size(node, x, y)
    if x.array.ndim > _MAX_BROADCAST_RANK:
        raise node.error(f"reads {x.array.ndim} dimensions, TFLM at most {_MAX_BROADCAST_RANK}")
    identity = quantize_multiplier(float(x.scale) / float(y.scale))
    below = quantize_multiplier(float(x.scale) * float(alpha.scale) / float(y.scale))
    info = np.iinfo(y.array.dtype)

    def prelu(q: NDArray[Any], slope_q: NDArray[Any]) -> NDArray[Any]:
        centred = q.astype(np.int64) - x.zero_point
        slope = slope_q.astype(np.int64) - alpha.zero_point
        scaled = np.where(
            centred >= 0,
            multiply_by_quantized_multiplier(centred, *identity),
            multiply_by_quantized_multiplier(centred * slope, *below),
        )
        return np.clip(scaled + y.zero_point, info.min, info.max)

    return binary(prelu, node)


_ACTIVATIONS_CC = "tensorflow/lite/micro/kernels/activations_common.cc"

KERNELS = {
    "RELU": Kernel(prepare_relu, _SIGNATURES, _ACTIVATIONS_CC),
    "RELU6": Kernel(prepare_relu6, _SIGNATURES, _ACTIVATIONS_CC),
    "LEAKY_RELU": Kernel(
        prepare_leaky_relu, _SIGNATURES, "tensorflow/lite/micro/kernels/leaky_relu_common.cc"
    ),
    "PRELU": Kernel(
        prepare_prelu,
        ("int8, int8 -> int8", "int16, int8 -> int16"),
        "tensorflow/lite/micro/kernels/prelu_common.cc",
    ),
}
