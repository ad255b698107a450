"""RESIZE_NEAREST_NEIGHBOR.

    y[n,i,j,c] = x[n, nearest(i), nearest(j), c]
    nearest(i) = floor((i + offset) scale), at most in - 1;  scale = in / out
    align_corners: round((i + offset) scale) with scale = (in - 1) / (out - 1)
    offset = 1/2 with half_pixel_centers, else 0; all in float32.

Source: tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import round_half_away
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import ResizeNearestNeighborOptions


def prepare_resize_nearest_neighbor(node: Node) -> Invoke:
    """One gather of pixels, with the indices worked out now."""
    options = node.options(ResizeNearestNeighborOptions)
    x, y = node.input(0), node.output()
    size = node.constant_integers(1)
    if len(x.shape) != 4 or 0 in x.shape or len(size) != 2:
        raise node.error(f"resizes {x.shape} to {size}, expected 4 dimensions and 2 sizes")
    batch, height, width, channels = x.shape
    if y.shape != (batch, size[0], size[1], channels):
        raise node.error(f"resizes {x.shape} to {size}, but its output has {y.shape}")
    rows = _nearest(height, size[0], options)
    columns = _nearest(width, size[1], options)
    pixels = (rows[:, np.newaxis] * width + columns).reshape(-1)  # (H_out W_out)
    source = x.array.reshape(batch, height * width, channels)
    out = y.array.reshape(batch, pixels.size, channels)
    return lambda: source.take(pixels, 1, out, "clip")


def _nearest(
    input_size: int, output_size: int, options: ResizeNearestNeighborOptions
) -> NDArray[np.intp]:
    one = np.float32(1)
    if options.align_corners and output_size > 1:
        scale = np.float32(input_size - 1) / np.float32(output_size - 1)
    else:
        scale = np.float32(input_size) / np.float32(output_size)
    offset = one / 2 if options.half_pixel_centers else one * 0
    position = (np.arange(output_size).astype(np.float32) + offset) * scale
    index = round_half_away(position) if options.align_corners else np.floor(position)
    return np.clip(index, 0, input_size - 1).astype(np.intp)


KERNELS = {
    "RESIZE_NEAREST_NEIGHBOR": Kernel(
        prepare_resize_nearest_neighbor,
        ("int8 -> int8", "int16 -> int16", "float32 -> float32"),
        "tensorflow/lite/kernels/internal/reference/resize_nearest_neighbor.h",
        "the size is a constant",
        input_count=(2, 2),
    )
}
