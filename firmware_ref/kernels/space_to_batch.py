"""SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND: what TensorFlow puts around a dilated convolution.

    space to batch: y[(i bw + j) B + b, h, w, c] = padded x[b, h bh + i, w bw + j, c]
    batch to space: the inverse, then cropped

with blocks of bh x bw, 0 <= i < bh, 0 <= j < bw and B batches. Three dimensions have no width.

TFLM never sets the value of the border, so it is what the arena held before: 0 where the arena
began zeroed, as a static one does, and 0 here. For int8 that is not the number 0, but what a
dilated convolution makes of such a border is cropped again.

Sources: tensorflow/lite/kernels/internal/reference/space_to_batch_nd.h and batch_to_space_nd.h,
tensorflow/lite/micro/kernels/space_to_batch_nd.cc and batch_to_space_nd.cc.
"""

from __future__ import annotations

import math

import numpy as np

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.model import Array
from firmware_ref.node import Invoke, Node, View

RANKS = (3, 4)
"""kInputOutputMinDimensionNum and kInputOutputMaxDimensionNum of both kernels."""


def prepare_space_to_batch_nd(node: Node) -> Invoke:
    """Pad, then gather each phase of the blocks into a batch of its own."""
    x, y = node.input(0), node.output()
    block, (before, after) = _parameters(node, "paddings")
    space = tuple(b + n + a for b, n, a in zip(before, x.shape[1:-1], after, strict=True))
    _check(node, space, block, whole=x, parts=y)
    padded = np.zeros((x.shape[0], *space, x.shape[-1]), x.array.dtype)
    middle = padded[_window(before, x.shape[1:-1])]
    phases = _phases(padded, block)
    return copies((middle, x.array), (y.array.reshape(phases.shape), phases))


def prepare_batch_to_space_nd(node: Node) -> Invoke:
    """Scatter each batch to its phase of the blocks, then crop."""
    x, y = node.input(0), node.output()
    block, (before, after) = _parameters(node, "crops")
    space = tuple(b + n + a for b, n, a in zip(before, y.shape[1:-1], after, strict=True))
    _check(node, space, block, whole=y, parts=x)
    whole = np.empty((y.shape[0], *space, y.shape[-1]), y.array.dtype)
    phases = _phases(whole, block)
    middle = whole[_window(before, y.shape[1:-1])]
    return copies((phases, x.array.reshape(phases.shape)), (y.array, middle))


def _parameters(node: Node, what: str) -> tuple[list[int], tuple[list[int], list[int]]]:
    """Block sizes, and (before, after) of every spatial axis."""
    x, y = node.input(0), node.output()
    if len(x.shape) not in RANKS or len(x.shape) != len(y.shape):
        raise node.error(f"turns {x.shape} into {y.shape}; TFLM takes 3 or 4 dimensions")
    axes = len(x.shape) - 2
    block, edges = node.constant_integers(1), node.constant_integers(2)
    if len(block) != axes or len(edges) != 2 * axes or min(block) < 1 or min(edges) < 0:
        raise node.error(
            f"needs {axes} block sizes of at least 1 and {axes} pairs of {what} of at least 0, "
            f"received {block} and {edges}"
        )
    return block, (edges[::2], edges[1::2])


def _check(node: Node, space: tuple[int, ...], block: list[int], whole: View, parts: View) -> None:
    if any(n % b for n, b in zip(space, block, strict=True)):
        raise node.error(f"cuts {space} into blocks of {block}, which do not divide it")
    cells = tuple(n // b for n, b in zip(space, block, strict=True))
    expected = (whole.shape[0] * math.prod(block), *cells, whole.shape[-1])
    if parts.shape != expected:
        raise node.error(
            f"has a tensor of shape {parts.shape}, expected {expected}. If the model was converted "
            "with an open batch size, convert it with a static input shape: TFLM takes shapes as "
            "they stand in the file"
        )


def _window(before: list[int], sizes: tuple[int, ...]) -> tuple[slice, ...]:
    return (slice(None), *(slice(b, b + n) for b, n in zip(before, sizes, strict=True)))


def _phases(array: Array, block: list[int]) -> Array:
    """View of [batch, space.., channels] as [block.., batch, cells.., channels]."""
    batch, *space, channels = array.shape
    split = [size for n, b in zip(space, block, strict=True) for size in (n // b, b)]
    axes = len(block)
    inside = [2 * axis + 2 for axis in range(axes)]
    cells = [2 * axis + 1 for axis in range(axes)]
    return array.reshape(batch, *split, channels).transpose(*inside, 0, *cells, 2 * axes + 1)


_REFERENCE = "tensorflow/lite/kernels/internal/reference"
_SIGNATURES = ("int8 -> int8", "float32 -> float32")

KERNELS = {
    "SPACE_TO_BATCH_ND": Kernel(
        prepare_space_to_batch_nd,
        _SIGNATURES,
        f"{_REFERENCE}/space_to_batch_nd.h",
        "block sizes and paddings are constants; 3 or 4 dimensions; the border, which TFLM leaves "
        "to what its arena holds, is 0",
        input_count=(3, 3),
    ),
    "BATCH_TO_SPACE_ND": Kernel(
        prepare_batch_to_space_nd,
        _SIGNATURES,
        f"{_REFERENCE}/batch_to_space_nd.h",
        "block sizes and crops are constants; 3 or 4 dimensions",
        input_count=(3, 3),
    ),
}
