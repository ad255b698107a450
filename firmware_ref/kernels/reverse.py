"""REVERSE_V2: y = x backwards along a constant list of neighbouring axes.

Source: tensorflow/lite/micro/kernels/reverse.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node


def prepare_reverse(node: Node) -> Invoke:
    """One copy from a view that runs backwards."""
    x, y = node.input(0), node.output()
    rank = len(x.shape)
    named = node.constant_integers(1)
    axes = sorted(axis + rank if axis < 0 else axis for axis in named)
    if axes != list(range(axes[0], axes[0] + len(axes))) or not 0 <= axes[0] <= axes[-1] < rank:
        raise node.error(
            f"reverses the axes {named} of {rank} dimensions; TFLM takes neighbouring ones"
        )
    if y.shape != x.shape:
        raise node.error(f"turns {x.shape} into {y.shape}")
    return copies((y.array, np.flip(x.array, axes)))


KERNELS = {
    "REVERSE_V2": Kernel(
        prepare_reverse,
        tuple(f"{kind}, int32 -> {kind}" for kind in ("int8", "int16", "int32", "float32")),
        "tensorflow/lite/micro/kernels/reverse.cc",
        "the axes are constants, next to each other",
    )
}
