"""SLICE: y = x[begin : begin + size], axis by axis; a size of -1 goes to the end.

Source: tensorflow/lite/micro/kernels/slice.cc.
"""

from __future__ import annotations

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node

MAX_RANK = 5
"""kMaxDim of TFLM's slice."""


def prepare_slice(node: Node) -> Invoke:
    """One copy."""
    x, y = node.input(0), node.output()
    rank = len(x.shape)
    if rank > MAX_RANK:
        raise node.error(f"slices {rank} dimensions; TFLM takes at most {MAX_RANK}")
    begin, size = node.constant_integers(1), node.constant_integers(2)
    if not len(begin) == len(size) == rank:
        raise node.error(f"needs begin and size of {rank} values each")
    slices = []
    for axis, (first, count) in enumerate(zip(begin, size, strict=True)):
        stop = x.shape[axis] if count == -1 else first + count
        if not 0 <= first <= stop <= x.shape[axis]:
            raise node.error(
                f"takes {count} from {first} on of axis {axis}, which has {x.shape[axis]}"
            )
        slices.append(slice(first, stop))
    window = x.array[tuple(slices)]
    if window.shape != y.shape:
        raise node.error(f"yields the shape {window.shape}, but its output has {y.shape}")
    return copies((y.array, window))


KERNELS = {
    "SLICE": Kernel(
        prepare_slice,
        tuple(f"{kind} -> {kind}" for kind in ("int8", "int16", "int32", "bool", "float32")),
        "tensorflow/lite/micro/kernels/slice.cc",
        f"begin and size are constants; at most {MAX_RANK} dimensions",
        input_count=(3, 3),
    )
}
