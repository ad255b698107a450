"""DEPTHWISE_CONV_2D.

    y[n,i,j,o] = requantise(b[o] + sum_{k,l} w[k,l,o] (x[n, i sh + k dh - ph, ..., c] - z_x))

with o = c M + m and M = output channels / input channels. int8: int32 accumulators, doubly
rounded; 16x8: int64 accumulators, rounded once.

Sources: tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h,
tensorflow/lite/micro/kernels/depthwise_conv.cc and depthwise_conv_common.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.filter_quantization import (
    bias_values,
    channel_factors,
    effective_zero_point,
    largest_magnitude,
    output_range,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.scaled_filter import ScaledFilter
from firmware_ref.kernels.window import Windows, convolution_axes
from firmware_ref.model import TensorType
from firmware_ref.node import Invoke, Node
from firmware_ref.options import DepthwiseConv2DOptions

SPREAD_WEIGHTS = 2**18
"""Up to so many products, the weights are repeated for every output position."""


def prepare_depthwise_conv_2d(node: Node) -> Invoke:
    """Multiply the windows by the folded filter tap by tap, sum over the taps, round."""
    options = node.options(DepthwiseConv2DOptions)
    x, y = node.input(0), node.output()
    filters = node.constant(1)  # (1, kh, kw, C_out)
    if len(x.shape) != 4 or filters.ndim != 4 or len(y.shape) != 4 or filters.shape[0] != 1:
        raise node.error(f"has the shapes {x.shape}, {filters.shape}, {y.shape}")
    if len(node.inputs) == 3 and node.inputs[2] is None:
        raise node.error(
            "names tensor -1 as its bias, which TFLM reads without looking. Leave the third "
            "input out"
        )
    rows, columns = convolution_axes(node, x.shape, filters.shape[1:3], options)
    input_channels, channels = x.shape[3], filters.shape[3]
    expected = (x.shape[0], rows.output_size, columns.output_size, channels)
    if y.shape != expected or input_channels == 0 or channels % input_channels:
        raise node.error(
            f"has {input_channels} input channels, weights of shape {filters.shape} "
            f"and an output of shape {y.shape}, expected {expected}"
        )
    if options.depth_multiplier * input_channels != channels:
        raise node.error(
            f"has {input_channels} input and {channels} output channels, but the option "
            f"depth_multiplier {options.depth_multiplier}, which TFLM goes by. Expected "
            f"{channels // input_channels}"
        )
    weights = filters[0].astype(np.int64)  # (kh, kw, C_out)
    scaled = ScaledFilter(
        weights,
        bias_values(node, 2, channels, (TensorType.INT64,))
        - effective_zero_point(x) * weights.sum(axis=(0, 1)),
        channel_factors(node, x, node.input(1), y, channels),
        largest_magnitude(x),
        output_range(node, options.fused_activation_function, y, wide=y.type is TensorType.INT16),
    )
    # Widening the input once pays when the windows overlap; gaps between them make it dearer.
    overlap = y.tensor.elements * filters.shape[1] * filters.shape[2] > x.tensor.elements
    window_type = np.dtype(np.float64) if overlap else x.array.dtype
    windows = Windows(x.array, rows, columns, effective_zero_point(x), window_type)
    multiplier = options.depth_multiplier
    # (kh, kw, N, H_out, W_out, C_in, M): one block of products per tap, and one of offsets
    view = windows.view.transpose(3, 4, 0, 1, 2, 5)[..., np.newaxis]
    taps = scaled.weights.reshape(*filters.shape[1:3], 1, 1, 1, input_channels, multiplier)
    block = (*expected[:3], input_channels, multiplier)
    terms = np.empty((taps.shape[0] * taps.shape[1] + 1, y.tensor.elements))
    terms[-1] = np.broadcast_to(scaled.offset, y.shape).reshape(-1)
    products = terms[:-1].reshape(*taps.shape[:2], *block)
    if products.size <= SPREAD_WEIGHTS:
        # Operands laid out alike let NumPy multiply in long runs.
        taps = np.broadcast_to(taps, products.shape).copy()
    ones = np.ones((1, terms.shape[0]))
    product = np.empty(y.shape)
    total, add_up, load = product.reshape(1, -1), ones.dot, windows.load
    finish = scaled.rounding(product, y.array)

    def invoke_overlapping() -> None:
        if load is not None:
            load()
        np.multiply(view, taps, products)
        add_up(terms, total)
        finish()

    def invoke_apart() -> None:
        if load is not None:
            load()
        products[...] = view
        np.multiply(products, taps, products)
        add_up(terms, total)
        finish()

    return invoke_overlapping if overlap else invoke_apart


KERNELS = {
    "DEPTHWISE_CONV_2D": Kernel(
        prepare_depthwise_conv_2d,
        ("int8, int8 -> int8", "int16, int8 -> int16"),
        "tensorflow/lite/kernels/internal/reference/integer_ops/depthwise_conv.h",
        "weights and bias are constants",
        input_count=(2, 3),
    )
}
