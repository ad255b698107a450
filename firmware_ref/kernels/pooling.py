"""MAX_POOL_2D and AVERAGE_POOL_2D, NHWC.

Sources: tensorflow/lite/micro/kernels/pooling_common.cc (Prepare),
tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.window import padded_input
from firmware_ref.node import Invoke, Node
from firmware_ref.options import Padding, Pool2DOptions


def _output_and_padding(size: int, window: int, stride: int, padding: Padding) -> tuple[int, int]:
    """(output size, cells of padding before the input) along one axis.

    SAME: ceil(size / stride); VALID: ceil((size - window + 1) / stride).
    Source: ComputePaddingHeightWidth in tensorflow/lite/kernels/padding.h.
    """
    if padding is Padding.SAME:
        output = -(-size // stride)
    else:
        output = -(-(size - window + 1) // stride)
    return output, max(0, (output - 1) * stride + window - size) // 2


def _prepare_windows(node: Node, array: NDArray[Any], fill: int) -> Callable[[], NDArray[Any]]:
    """A function that gives the windows of `array`, shaped as the input; cells outside hold `fill`.

    The result has the shape (batch, out height, out width, channels, window height, window width)
    and is a view, of `array` itself where nothing is padded.
    """
    y = node.output()
    options = node.options(Pool2DOptions)
    window = (options.filter_height, options.filter_width)
    stride = (options.stride_h, options.stride_w)
    if array.ndim != 4 or min(window) < 1 or min(stride) < 1:
        raise node.error(
            f"needs a 4-D input and positive window and stride, received shape {array.shape}, "
            f"window {window}, stride {stride}"
        )
    batch, in_height, in_width, channels = array.shape
    rows, top = _output_and_padding(in_height, window[0], stride[0], options.padding)
    columns, left = _output_and_padding(in_width, window[1], stride[1], options.padding)
    expected = (batch, rows, columns, channels)
    if y.shape != expected or min(expected) < 1:
        raise node.error(f"has an output of shape {y.shape}, expected {expected}")

    height = (rows - 1) * stride[0] + window[0]
    width = (columns - 1) * stride[1] + window[1]
    source, inside = array, None
    if top > 0 or left > 0 or height > in_height or width > in_width:
        padded_shape = (batch, max(height, top + in_height), max(width, left + in_width), channels)
        source = padded_input(padded_shape, fill, array.dtype)
        inside = source[:, top : top + in_height, left : left + in_width]
    every_window = sliding_window_view(sliding_window_view(source, window[0], 1), window[1], 2)
    windows: NDArray[Any] = every_window[
        :, : height - window[0] + 1 : stride[0], : width - window[1] + 1 : stride[1]
    ]

    def gather() -> NDArray[Any]:
        if inside is not None:
            inside[...] = array
        return windows

    return gather


def _check_quantization(node: Node) -> None:
    x, y = node.input(0), node.output()
    if abs(float(x.scale) - float(y.scale)) > 1e-6 or x.zero_point != y.zero_point:
        raise node.error(
            "needs the same quantisation on input and output, received "
            f"({x.scale}, {x.zero_point}) and ({y.scale}, {y.zero_point})"
        )


def prepare_max_pool_2d(node: Node) -> Invoke:
    """y = clamp(max of the window's cells that lie inside the input)."""
    _check_quantization(node)
    y = node.output()
    lowest = int(np.iinfo(y.array.dtype).min)
    windows = _prepare_windows(node, node.input(0).array, fill=lowest)
    low, high = activation_range(node, node.options(Pool2DOptions).fused_activation_function, y)

    def invoke() -> None:
        np.clip(windows().max((4, 5)), low, high, out=y.array)

    return invoke


def prepare_average_pool_2d(node: Node) -> Invoke:
    """y = clamp(mean of the window's cells that lie inside the input), ties away from zero.

    mean = (sum +- floor(n / 2)) / n as C divides; n counts the cells inside.
    """
    _check_quantization(node)
    x, y = node.input(0), node.output()
    windows = _prepare_windows(node, x.array, fill=0)
    low, high = activation_range(node, node.options(Pool2DOptions).fused_activation_function, y)
    counts = _prepare_windows(node, np.ones_like(x.array), fill=0)().sum((4, 5), dtype=np.int64)
    half = counts // 2

    def invoke() -> None:
        total = windows().sum((4, 5), dtype=np.int64)
        mean = np.sign(total) * ((np.abs(total) + half) // counts)
        np.copyto(y.array, np.clip(mean, low, high), casting="unsafe")

    return invoke


_SIGNATURES = ("int8 -> int8", "int16 -> int16")
_POOLING_H = "tensorflow/lite/kernels/internal/reference/integer_ops/pooling.h"

KERNELS = {
    "MAX_POOL_2D": Kernel(prepare_max_pool_2d, _SIGNATURES, _POOLING_H),
    "AVERAGE_POOL_2D": Kernel(prepare_average_pool_2d, _SIGNATURES, _POOLING_H),
}
