"""SPACE_TO_DEPTH and DEPTH_TO_SPACE: blocks of b x b pixels to channels, and back.

    y[n, h, w, (i b + j) C + c] = x[n, h b + i, w b + j, c],   0 <= i, j < b

Sources: tensorflow/lite/kernels/internal/reference/space_to_depth.h and depth_to_space.h.
"""

from __future__ import annotations

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.model import Array
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import DepthToSpaceOptions, SpaceToDepthOptions


def prepare_space_to_depth(node: Node) -> Invoke:
    """y = the blocks of x, each as one pixel."""
    x, y = node.input(0), node.output()
    blocks = _blocks(node, node.options(SpaceToDepthOptions).block_size, space=x, depth=y)
    return copies((y.array.reshape(blocks.shape), blocks))


def prepare_depth_to_space(node: Node) -> Invoke:
    """The blocks of y = the pixels of x."""
    x, y = node.input(0), node.output()
    blocks = _blocks(node, node.options(DepthToSpaceOptions).block_size, space=y, depth=x)
    return copies((blocks, x.array.reshape(blocks.shape)))


def _blocks(node: Node, block: int, space: View, depth: View) -> Array:
    """View of [n, h b, w b, c] as [n, h, w, b, b, c]."""
    if block < 1 or len(space.shape) != 4 or len(depth.shape) != 4:
        raise node.error(
            f"needs a block of at least 1 and 4 dimensions, received {block}, "
            f"{node.input(0).shape} and {node.output().shape}"
        )
    batch, height, width, channels = depth.shape
    expected = (batch, height * block, width * block, channels // block**2)
    if space.shape != expected or channels % block**2:
        raise node.error(
            f"turns {node.input(0).shape} into {node.output().shape}, which blocks of "
            f"{block} x {block} do not"
        )
    split = (batch, height, block, width, block, space.shape[3])
    return space.array.reshape(split).transpose(0, 1, 3, 2, 4, 5)


_REFERENCE = "tensorflow/lite/kernels/internal/reference"
_SIGNATURES = ("int8 -> int8", "float32 -> float32")

KERNELS = {
    "SPACE_TO_DEPTH": Kernel(prepare_space_to_depth, _SIGNATURES, f"{_REFERENCE}/space_to_depth.h"),
    "DEPTH_TO_SPACE": Kernel(prepare_depth_to_space, _SIGNATURES, f"{_REFERENCE}/depth_to_space.h"),
}
