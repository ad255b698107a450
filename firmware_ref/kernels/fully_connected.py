"""FULLY_CONNECTED.

    y[n,c] = requantise(b[c] + sum_d (w[c,d] - z_w) (x[n,d] - z_x))

The factor is s_x s_w / s_y in double precision, s_w per tensor or per channel. TFLM rounds twice
here, unlike LiteRT, which rounds once. 16x8: int64 accumulators, rounded once, unless the bias is
int32.

Sources: tensorflow/lite/kernels/internal/reference/integer_ops/fully_connected.h,
tensorflow/lite/micro/kernels/fully_connected.cc and fully_connected_common.cc,
GetQuantizedConvolutionMultipler in tensorflow/lite/kernels/kernel_util.cc.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.kernels.filter_quantization import (
    bias_values,
    channel_factors,
    has_wide_accumulator,
    largest_magnitude,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.scaled_filter import OutputRange, ScaledFilter
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import FullyConnectedOptions, WeightsFormat


def prepare_fully_connected(node: Node) -> Invoke:
    """One matrix product with the folded weights, then rounding."""
    options = node.options(FullyConnectedOptions)
    x, weights_view, y = node.input(0), node.input(1), node.output()
    filters = node.constant(1)  # (..., C, D)
    if options.weights_format is not WeightsFormat.DEFAULT:
        raise node.error("has shuffled weights, which TFLM does not read")
    if filters.ndim < 2 or not y.shape or y.shape[-1] != filters.shape[-2]:
        raise node.error(f"has weights of shape {filters.shape} and an output of shape {y.shape}")
    channels, depth = filters.shape[-2:]
    rows = y.tensor.elements // channels if channels else 0
    if filters.size != channels * depth or x.tensor.elements != rows * depth:
        raise node.error(f"has an input of shape {x.shape} for {rows} rows of {depth} weights each")
    weights = filters.reshape(channels, depth).T.astype(np.int64)  # (D, C)
    if not _is_per_channel(weights_view):  # per channel, TFLM takes the weights' zero point as 0
        weights = weights - weights_view.zero_point
    low, high = activation_range(node, options.fused_activation_function, y)
    scaled = ScaledFilter(
        weights,
        bias_values(node, 2, channels) - x.zero_point * weights.sum(axis=0),
        _factors(node, x, weights_view, y, channels),
        largest_magnitude(x),
        OutputRange(y.zero_point, low, high, wide=has_wide_accumulator(node)),
    )
    # The last column is 1 and meets the offset.
    matrix = np.ones((rows, depth + 1))
    cells, source = matrix[:, :depth], x.array.reshape(rows, depth)
    folded = np.vstack([scaled.weights, scaled.offset])
    out = y.array.reshape(rows, channels)
    product = np.empty(out.shape)
    multiply, finish = matrix.dot, scaled.rounding(product, out)

    def invoke() -> None:
        cells[...] = source
        multiply(folded, product)
        finish()

    return invoke


def _is_per_channel(weights: View) -> bool:
    quantization = weights.tensor.quantization
    return quantization is not None and quantization.scales.size > 1


def _factors(node: Node, x: View, weights: View, y: View, channels: int) -> NDArray[np.float64]:
    factors = channel_factors(node, x, weights, y, channels)
    if _is_per_channel(weights):
        return factors
    bias = node.optional_input(2)
    if bias is not None:
        exact = float(x.scale) * float(weights.scale)
        if abs(exact - float(bias.scale)) / float(y.scale) > 0.02:
            raise node.error(
                f"has a bias of scale {bias.scale}, but input and weights of scale product "
                f"{exact:g}; TFLM refuses a difference above 0.02 output steps"
            )
    return factors


KERNELS = {
    "FULLY_CONNECTED": Kernel(
        prepare_fully_connected,
        ("int8, int8 -> int8", "int16, int8 -> int16"),
        "tensorflow/lite/kernels/internal/reference/integer_ops/fully_connected.h",
        "weights and bias are constants",
        input_count=(2, 3),
    )
}
