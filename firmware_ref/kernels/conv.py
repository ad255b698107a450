"""CONV_2D.

    y[n,i,j,c] = requantise(b[c] + sum_{k,l,d} w[c,k,l,d] (x[n, i sh + k dh - ph, ..., d] - z_x))

Outside the input, x = z_x. int8: int32 accumulators, doubly rounded; 16x8: int64 accumulators,
rounded once, unless the bias is int32. Fewer weight channels than input channels mean groups.

Sources: tensorflow/lite/kernels/internal/reference/integer_ops/conv.h,
tensorflow/lite/micro/kernels/conv.cc and conv_common.cc.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from firmware_ref.kernels.filter_quantization import (
    bias_values,
    channel_factors,
    effective_zero_point,
    has_wide_accumulator,
    largest_magnitude,
    output_range,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.scaled_filter import ScaledFilter
from firmware_ref.kernels.window import Windows, convolution_axes
from firmware_ref.node import Invoke, Node
from firmware_ref.options import Conv2DOptions


def prepare_conv_2d(node: Node) -> Invoke:
    """Gather all windows as rows of a matrix, multiply by the folded filter, round."""
    options = node.options(Conv2DOptions)
    x, y = node.input(0), node.output()
    filters = node.constant(1)  # (C_out, kh, kw, C_in / groups)
    if len(x.shape) != 4 or filters.ndim != 4 or len(y.shape) != 4:
        raise node.error(f"needs 4 dimensions, received {x.shape}, {filters.shape}, {y.shape}")
    rows, columns = convolution_axes(node, x.shape, filters.shape[1:3], options)
    channels = filters.shape[0]
    expected = (x.shape[0], rows.output_size, columns.output_size, channels)
    if y.shape != expected:
        raise node.error(f"has an output of shape {y.shape}, expected {expected}")
    weights = _dense_weights(node, filters, x.shape[3])  # (K, C_out)
    scaled = ScaledFilter(
        weights,
        bias_values(node, 2, channels) - effective_zero_point(x) * weights.sum(axis=0),
        channel_factors(node, x, node.input(1), y, channels),
        largest_magnitude(x),
        output_range(node, options.fused_activation_function, y, wide=has_wide_accumulator(node)),
    )
    windows = Windows(x.array, rows, columns, effective_zero_point(x), x.array.dtype)
    depth = weights.shape[0]
    # One row per output position; the last column is 1 and meets the offset.
    matrix = np.ones((np.prod(expected[:3], dtype=int), depth + 1))
    step = matrix.strides[0]
    cells = as_strided(
        matrix,
        windows.view.shape,
        (
            step * rows.output_size * columns.output_size,
            step * columns.output_size,
            step,
            8 * columns.filter_size * x.shape[3],
            8 * x.shape[3],
            8,
        ),
    )
    folded = np.vstack([scaled.weights, scaled.offset])
    out = y.array.reshape(-1, channels)
    product = np.empty(out.shape)
    # Axes of length 1 cost time in every assignment.
    cells, view = cells.squeeze(), windows.view.squeeze()
    multiply, load, finish = matrix.dot, windows.load, scaled.rounding(product, out)

    def invoke() -> None:
        if load is not None:
            load()
        cells[...] = view
        multiply(folded, product)
        finish()

    return invoke


def _dense_weights(node: Node, filters: NDArray[np.int8], input_channels: int) -> NDArray[np.int64]:
    """Weights as (kh kw C_in, C_out); those of a grouped convolution are zero off their group."""
    output_channels, height, width, depth = filters.shape
    groups, rest = divmod(input_channels, depth)
    if rest or groups == 0 or output_channels % groups:
        raise node.error(
            f"has weights of shape {filters.shape} for {input_channels} input channels"
        )
    dense = np.zeros((height, width, input_channels, output_channels), np.int64)
    per_group = output_channels // groups
    for group in range(groups):
        outputs = slice(group * per_group, (group + 1) * per_group)
        inputs = slice(group * depth, (group + 1) * depth)
        dense[:, :, inputs, outputs] = filters[outputs].transpose(1, 2, 3, 0)
    return dense.reshape(-1, output_channels)


KERNELS = {
    "CONV_2D": Kernel(
        prepare_conv_2d,
        ("int8, int8 -> int8", "int16, int8 -> int16"),
        "tensorflow/lite/kernels/internal/reference/integer_ops/conv.h",
        "weights and bias are constants",
        input_count=(2, 3),
    )
}
