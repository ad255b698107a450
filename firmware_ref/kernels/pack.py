"""PACK and UNPACK: tensors stacked along a new axis, and taken apart along one.

Sources: tensorflow/lite/micro/kernels/pack.cc and unpack.cc.
"""

from __future__ import annotations

from collections.abc import Sequence

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.model import Array
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import PackOptions, UnpackOptions


def prepare_pack(node: Node) -> Invoke:
    """y[.., i, ..] = x_i, with i at `axis` of the output."""
    options = node.options(PackOptions)
    parts = [node.input(position) for position in range(len(node.inputs))]
    windows = _windows(node, node.output(), options.axis, options.values_count, parts)
    arrays = [part.array for part in parts]
    return copies(*zip(windows, arrays, strict=True))


def prepare_unpack(node: Node) -> Invoke:
    """y_i = x[.., i, ..], with i at `axis` of the input."""
    options = node.options(UnpackOptions)
    windows = _windows(node, node.input(0), options.axis, options.num, node.outputs)
    arrays = [part.array for part in node.outputs]
    return copies(*zip(arrays, windows, strict=True))


def _windows(node: Node, whole: View, axis: int, count: int, parts: Sequence[View]) -> list[Array]:
    """The slices of the whole, each in the shape of the part that belongs there."""
    rank = len(whole.shape)
    if not -rank <= axis < rank:
        raise node.error(f"has the axis {axis} for {rank} dimensions")
    axis %= rank
    if not count == len(parts) == whole.shape[axis]:
        raise node.error(
            f"has {len(parts)} parts and {count} in its options for an axis of {whole.shape[axis]}"
        )
    windows = [whole.array[(slice(None),) * axis + (i, ...)] for i in range(count)]
    for window, part in zip(windows, parts, strict=True):
        if part.type is not whole.type:
            raise node.error(f"mixes the types {part.type} and {whole.type}")
        if part.shape != window.shape:
            raise node.error(
                f"has a part of shape {part.shape}, but {whole.shape} without axis {axis} is "
                f"{window.shape}"
            )
    return windows


KERNELS = {
    "PACK": Kernel(
        prepare_pack,
        tuple(f"{kind} -> {kind}" for kind in ("int8", "int32", "float32")),
        "tensorflow/lite/micro/kernels/pack.cc",
        input_count=(1, 2**31),
    ),
    "UNPACK": Kernel(
        prepare_unpack,
        tuple(f"{kind} -> {kind}" for kind in ("int8", "int16", "int32", "float32")),
        "tensorflow/lite/micro/kernels/unpack.cc",
        has_parts=True,
    ),
}
