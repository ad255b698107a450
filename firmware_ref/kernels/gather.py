"""GATHER: y = the slices of x along one axis that a constant list of positions names.

Source: tensorflow/lite/micro/kernels/gather.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import GatherOptions


def prepare_gather(node: Node) -> Invoke:
    """One gather."""
    options = node.options(GatherOptions)
    x, y = node.input(0), node.output()
    rank = len(x.shape)
    if options.batch_dims:
        raise node.error(f"has {options.batch_dims} batch dimensions. Expected 0")
    if not -rank <= options.axis < rank:
        raise node.error(f"has the axis {options.axis} for {rank} dimensions")
    axis = options.axis % rank
    positions = node.constant(1)
    if positions.size and not 0 <= positions.min() <= positions.max() < x.shape[axis]:
        raise node.error(
            f"takes the positions {positions.reshape(-1).tolist()} of an axis of {x.shape[axis]}"
        )
    expected = (*x.shape[:axis], *positions.shape, *x.shape[axis + 1 :])
    if y.shape != expected:
        raise node.error(f"yields the shape {expected}, but its output has {y.shape}")
    source, out = x.array, y.array
    return lambda: np.take(source, positions, axis, out, "clip")


KERNELS = {
    "GATHER": Kernel(
        prepare_gather,
        tuple(f"{kind}, int32 -> {kind}" for kind in ("int8", "float32")),
        "tensorflow/lite/micro/kernels/gather.cc",
        "positions are constants; no batch dimensions",
    )
}
