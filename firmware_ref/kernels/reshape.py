"""RESHAPE, EXPAND_DIMS, SQUEEZE: the same bytes under another shape. TRANSPOSE: axes permuted.

Sources: tensorflow/lite/micro/kernels/reshape.cc, expand_dims.cc, squeeze.cc, transpose.cc.
"""

from __future__ import annotations

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import SqueezeOptions

MAX_TRANSPOSED_RANK = 5
"""kTransposeMaxDimensions of TFLM's transpose."""


def prepare_reshape(node: Node) -> Invoke:
    """y = x, byte for byte; the output's shape is the one in the file."""
    x, y = node.input(0), node.output()
    if x.tensor.elements != y.tensor.elements:
        raise node.error(f"cannot turn the shape {x.shape} into {y.shape}")
    return copies((y.array.reshape(-1), x.array.reshape(-1)))


def prepare_expand_dims(node: Node) -> Invoke:
    """y = x with one more axis, of length 1, at the constant `axis`."""
    x, y = node.input(0), node.output()
    axes = node.constant_integers(1)
    rank = len(x.shape) + 1
    if len(axes) != 1 or not -rank <= axes[0] < rank:
        raise node.error(f"needs one axis from {-rank} to {rank - 1}, received {axes}")
    axis = axes[0] % rank
    _check_shape(node, (*x.shape[:axis], 1, *x.shape[axis:]))
    return copies((y.array, x.array.reshape(y.shape)))


def prepare_squeeze(node: Node) -> Invoke:
    """y = x without the axes that the options name, or without all axes of length 1."""
    x, y = node.input(0), node.output()
    rank = len(x.shape)
    named = node.options(SqueezeOptions).squeeze_dims
    if any(not -rank <= axis < rank or x.shape[axis] != 1 for axis in named):
        raise node.error(f"drops the axes {list(named)} of {x.shape}; expected axes of length 1")
    dropped = {axis % rank for axis in named} or {i for i, n in enumerate(x.shape) if n == 1}
    _check_shape(node, tuple(n for axis, n in enumerate(x.shape) if axis not in dropped))
    return copies((y.array, x.array.reshape(y.shape)))


def _check_shape(node: Node, expected: tuple[int, ...]) -> None:
    y = node.output()
    if y.shape != expected:
        raise node.error(f"has an output of shape {y.shape}, expected {expected}")


def prepare_transpose(node: Node) -> Invoke:
    """y[i_perm] = x[i], with `perm` a constant."""
    x, y = node.input(0), node.output()
    if len(x.shape) > MAX_TRANSPOSED_RANK:
        raise node.error(
            f"permutes {len(x.shape)} dimensions; TFLM takes at most {MAX_TRANSPOSED_RANK}"
        )
    permutation = node.constant_integers(1)
    if sorted(permutation) != list(range(len(x.shape))):
        raise node.error(f"permutes {len(x.shape)} axes by {permutation}")
    source = x.array.transpose(permutation)
    if source.shape != y.shape:
        raise node.error(f"yields the shape {source.shape}, but its output has {y.shape}")
    return copies((y.array, source))


def _same(*kinds: str) -> tuple[str, ...]:
    return tuple(f"{kind} -> {kind}" for kind in kinds)


_KERNELS = "tensorflow/lite/micro/kernels"

KERNELS = {
    "RESHAPE": Kernel(
        prepare_reshape,
        _same("int8", "int16", "int32", "bool", "float32"),
        f"{_KERNELS}/reshape.cc",
        input_count=(1, 2),
    ),
    "EXPAND_DIMS": Kernel(
        prepare_expand_dims,
        _same("int8", "int16", "float32"),
        f"{_KERNELS}/expand_dims.cc",
        "the axis is a constant",
        input_count=(2, 2),
    ),
    "SQUEEZE": Kernel(
        prepare_squeeze, _same("int8", "int16", "int32", "float32"), f"{_KERNELS}/squeeze.cc"
    ),
    "TRANSPOSE": Kernel(
        prepare_transpose,
        _same("int8", "int16", "float32"),
        f"{_KERNELS}/transpose.cc",
        "the permutation is a constant; at most 5 dimensions",
        input_count=(2, 2),
    ),
}
