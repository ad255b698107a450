"""TRANSPOSE_CONV.

    acc[n, i sh + k - ph, j sw + l - pw, c] += w[c,k,l,d] (x[n,i,j,d] - z_x)
    y = requantise(acc + b)

The padding is that of the convolution that this one transposes, computed from the output's size.
int8: int32 accumulators, doubly rounded; 16x8: int64 accumulators, rounded once. The input with
the output's shape is ignored, as in TFLM.

Sources: tensorflow/lite/kernels/internal/reference/integer_ops/transpose_conv.h,
tensorflow/lite/micro/kernels/transpose_conv.cc.
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
from firmware_ref.kernels.window import WindowAxis
from firmware_ref.model import TensorType
from firmware_ref.node import Invoke, Node
from firmware_ref.options import TransposeConvOptions


def prepare_transpose_conv(node: Node) -> Invoke:
    """Multiply every input cell by every tap in one product, add the taps up where they fall."""
    options = node.options(TransposeConvOptions)
    x, y = node.input(2), node.output()
    filters = node.constant(1)  # (C_out, kh, kw, C_in)
    if len(x.shape) != 4 or filters.ndim != 4 or len(y.shape) != 4:
        raise node.error(f"needs 4 dimensions, received {x.shape}, {filters.shape}, {y.shape}")
    channels, filter_height, filter_width, depth = filters.shape
    batch, height, width = x.shape[:3]
    if x.shape[3] != depth or y.shape[0] != batch or y.shape[3] != channels:
        raise node.error(
            f"has an input of shape {x.shape}, weights of shape {filters.shape} "
            f"and an output of shape {y.shape}"
        )
    rows = WindowAxis.of(node, y.shape[1], filter_height, options.stride_h, 1, options.padding)
    columns = WindowAxis.of(node, y.shape[2], filter_width, options.stride_w, 1, options.padding)
    weights = filters.transpose(3, 1, 2, 0).astype(np.int64)  # (C_in, kh, kw, C_out)
    scaled = ScaledFilter(
        weights,
        bias_values(node, 3, channels, (TensorType.INT16, TensorType.INT64)),
        channel_factors(node, x, node.input(1), y, channels),
        largest_magnitude(x) + abs(effective_zero_point(x)),
        output_range(node, options.fused_activation_function, y, wide=y.type is TensorType.INT16),
    )
    centred = np.empty((batch * height * width, depth))
    flat_weights = scaled.weights.reshape(depth, -1)
    taps = np.empty((centred.shape[0], flat_weights.shape[1]))
    # (N, H, W, kh, kw, C_out)
    by_tap = taps.reshape(batch, height, width, filter_height, filter_width, channels)
    # Room for every tap, also those that fall into the padding, and for the whole output.
    sums = np.empty(
        (
            batch,
            max((height - 1) * rows.stride + filter_height, rows.before + y.shape[1]),
            max((width - 1) * columns.stride + filter_width, columns.before + y.shape[2]),
            channels,
        )
    )
    targets = [
        (
            sums[
                :,
                k : k + (height - 1) * rows.stride + 1 : rows.stride,
                m : m + (width - 1) * columns.stride + 1 : columns.stride,
            ],
            by_tap[:, :, :, k, m],
        )
        for k in range(filter_height)
        for m in range(filter_width)
    ]
    cropped = sums[
        :, rows.before : rows.before + y.shape[1], columns.before : columns.before + y.shape[2]
    ]
    source, zero_point = x.array.reshape(-1, depth), effective_zero_point(x)
    offset, finish = scaled.offset, scaled.rounding(cropped, y.array)

    def invoke() -> None:
        np.subtract(source, zero_point, out=centred, dtype=np.float64)
        np.dot(centred, flat_weights, taps)
        sums[...] = offset
        for target, tap in targets:
            target += tap
        finish()

    return invoke


KERNELS = {
    "TRANSPOSE_CONV": Kernel(
        prepare_transpose_conv,
        ("int32, int8, int8 -> int8", "int32, int8, int16 -> int16"),
        "tensorflow/lite/kernels/internal/reference/integer_ops/transpose_conv.h",
        "weights and bias are constants",
        input_count=(3, 4),
    )
}
