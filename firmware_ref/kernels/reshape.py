"""RESHAPE, EXPAND_DIMS, SQUEEZE: the same bytes under another shape. TRANSPOSE: axes permuted.

Sources: tensorflow/lite/micro/kernels/reshape.cc, expand_dims.cc, squeeze.cc, transpose.cc.
"""

from __future__ import annotations

from firmware_ref.kernels.kernel import Kernel
from firmware_ref.model import Array
from firmware_ref.node import Invoke, Node


def prepare_reshape(node: Node) -> Invoke:
    """y = x, byte for byte; the output's shape is the one in the file."""
    x, y = node.input(0), node.output()
    if x.tensor.elements != y.tensor.elements:
        raise node.error(f"cannot turn the shape {x.shape} into {y.shape}")
    return _copy(x.array.reshape(-1), y.array.reshape(-1))


def prepare_transpose(node: Node) -> Invoke:
    """y[i_perm] = x[i], with `perm` a constant."""
    x, y = node.input(0), node.output()
    permutation = node.constant_integers(1)
    if sorted(permutation) != list(range(len(x.shape))):
        raise node.error(f"permutes {len(x.shape)} axes by {permutation}")
    source, out = x.array.transpose(permutation), y.array
    if source.shape != y.shape:
        raise node.error(f"yields the shape {source.shape}, but its output has {y.shape}")
    return _copy(source, out)


def _copy(source: Array, out: Array) -> Invoke:
    def invoke() -> None:
        out[...] = source

    return invoke


def _same(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{kind} -> {kind}" for kind in kinds)


_KERNELS = "tensorflow/lite/micro/kernels"

KERNELS = {
    "RESHAPE": Kernel(
        prepare_reshape,
        _same("int8", "int16", "int32", "bool", "float32"),
        f"{_KERNELS}/reshape.cc",
    ),
    "EXPAND_DIMS": Kernel(
        prepare_reshape, _same("int8", "int16", "float32"), f"{_KERNELS}/expand_dims.cc"
    ),
    "SQUEEZE": Kernel(
        prepare_reshape, _same("int8", "int16", "int32", "float32"), f"{_KERNELS}/squeeze.cc"
    ),
    "TRANSPOSE": Kernel(
        prepare_transpose, _same("int8", "int16", "float32"), f"{_KERNELS}/transpose.cc"
    ),
}
