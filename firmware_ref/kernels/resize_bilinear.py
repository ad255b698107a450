"""RESIZE_BILINEAR.

    y[n,i,j,c] = the four pixels around (p_i, p_j), weighted by their nearness, in steps of 1/1024
    p_i = i scale;  scale = round(1024 in / out);  p_i + scale / 2 - 512 with half_pixel_centers
    align_corners: scale = round(1024 (in - 1) / (out - 1))

The sum has 20 binary places and is rounded half away from zero. Only integers are used.

Source: tensorflow/lite/kernels/internal/reference/resize_bilinear.h (ResizeBilinearInteger).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import ResizeBilinearOptions

_ONE = 1 << 10


def prepare_resize_bilinear(node: Node) -> Invoke:
    """Four gathers of pixels, with indices and weights worked out now."""
    options = node.options(ResizeBilinearOptions)
    x, y = node.input(0), node.output()
    size = node.constant_integers(1)
    if options.align_corners and options.half_pixel_centers:
        raise node.error("asks for aligned corners and half-pixel centres, which TFLM refuses")
    if len(x.shape) != 4 or 0 in x.shape or len(size) != 2:
        raise node.error(f"resizes {x.shape} to {size}, expected 4 dimensions and 2 sizes")
    batch, height, width, channels = x.shape
    if y.shape != (batch, size[0], size[1], channels):
        raise node.error(f"resizes {x.shape} to {size}, but its output has {y.shape}")
    rows = _neighbours(height, size[0], options)
    columns = _neighbours(width, size[1], options)
    corners = [
        (
            (row[:, np.newaxis] * width + column).reshape(-1),  # (H_out W_out)
            (row_weight[:, np.newaxis] * column_weight).reshape(-1, 1),
        )
        for row, row_weight in rows
        for column, column_weight in columns
    ]
    source = x.array.reshape(batch, height * width, channels)
    out = y.array.reshape(batch, -1, channels)

    def invoke() -> None:
        total = np.zeros(out.shape, np.int64)
        for pixels, weights in corners:
            total += source[:, pixels].astype(np.int64) * weights
        rounded = (np.abs(total) + (1 << 19)) >> 20
        out[...] = np.where(total > 0, rounded, -rounded)

    return invoke


def _neighbours(
    input_size: int, output_size: int, options: ResizeBilinearOptions
) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Index and weight, of 1024, of the pixel before and of the one after each output pixel."""
    if options.align_corners and output_size > 1:
        gaps = output_size - 1
        scale = (_ONE * (input_size - 1) + gaps // 2) // gaps
    else:
        scale = (_ONE * input_size + output_size // 2) // output_size
    position = np.arange(output_size) * scale
    if options.half_pixel_centers:
        position += scale // 2 - _ONE // 2
    before = np.maximum(position // _ONE, 0)
    after = np.minimum(np.maximum(position + _ONE - 1, 0) // _ONE, input_size - 1)
    part = position - before * _ONE
    return [(before, _ONE - part), (after, part)]


KERNELS = {
    "RESIZE_BILINEAR": Kernel(
        prepare_resize_bilinear,
        ("int8 -> int8",),
        "tensorflow/lite/kernels/internal/reference/resize_bilinear.h",
        "the size is a constant",
        input_count=(2, 2),
    )
}
