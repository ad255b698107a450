"""CONCATENATION, SPLIT and SPLIT_V: copies along one axis, without any arithmetic.

Sources: tensorflow/lite/micro/kernels/concatenation.cc, split.cc and split_v.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.model import Array
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import Activation, ConcatenationOptions

MAX_INPUTS = 10
"""kMaxInputNum of TFLM's concatenation."""


def prepare_concatenation(node: Node) -> Invoke:
    """y = the inputs, one after the other along `axis`."""
    options = node.options(ConcatenationOptions)
    y = node.output()
    parts = [node.input(position) for position in range(len(node.inputs))]
    if options.fused_activation_function is not Activation.NONE:
        raise node.error("fuses an activation, which TFLM refuses here")
    for part in parts:
        if part.type is not y.type:
            raise node.error(f"mixes the types {part.type} and {y.type}")
        if part.array.dtype == np.int8 and (part.scale, part.zero_point) != (
            y.scale,
            y.zero_point,
        ):
            raise node.error(
                f"would have to rescale input {part.tensor.name!r}; TFLM needs every int8 input "
                "to have the output's scale and zero point"
            )
    axis = _axis(node, options.axis, len(y.shape))
    return _copies(node, y, parts, axis, into_whole=True)


def prepare_split(node: Node) -> Invoke:
    """The outputs = equal parts of the input along `axis`, which is a constant."""
    shapes = {y.shape for y in node.outputs}
    if len(shapes) > 1:
        raise node.error(f"has parts of the shapes {sorted(shapes)}; TFLM takes all for equal")
    return _prepare_split(node, node.input(1), node.constant_integers(0))


def prepare_split_v(node: Node) -> Invoke:
    """The outputs = parts of the input along `axis`, as long as the outputs' shapes say."""
    return _prepare_split(node, node.input(0), node.constant_integers(2))


def _prepare_split(node: Node, x: View, axes: list[int]) -> Invoke:
    if len(axes) != 1 or not node.outputs:
        raise node.error("needs one axis and at least one output")
    axis = _axis(node, axes[0], len(x.shape))
    return _copies(node, x, list(node.outputs), axis, into_whole=False)


def _axis(node: Node, axis: int, rank: int) -> int:
    positive = axis + rank if axis < 0 else axis
    if not 0 <= positive < rank:
        raise node.error(f"has the axis {axis} for {rank} dimensions")
    return positive


def _copies(node: Node, whole: View, parts: list[View], axis: int, *, into_whole: bool) -> Invoke:
    """Copies between the parts and the slices of the whole that correspond to them."""
    pairs: list[tuple[Array, Array]] = []
    start = 0
    for part in parts:
        stop = start + (part.shape[axis] if axis < len(part.shape) else 0)
        window = whole.array[(slice(None),) * axis + (slice(start, stop),)]
        if window.shape != part.shape:
            raise node.error(
                f"has a part of shape {part.shape} that does not fit {whole.shape} at axis {axis}"
            )
        pairs.append((window, part.array) if into_whole else (part.array, window))
        start = stop
    if start != whole.shape[axis]:
        raise node.error(f"has parts of {start} in all, but the whole has {whole.shape[axis]}")
    return copies(*pairs)


_TYPES = ("int8", "int16", "int32", "float32")

KERNELS = {
    "CONCATENATION": Kernel(
        prepare_concatenation,
        tuple(f"{kind} -> {kind}" for kind in _TYPES),
        "tensorflow/lite/micro/kernels/concatenation.cc",
        "at most 10 inputs; int8 inputs have the output's quantisation",
        input_count=(1, MAX_INPUTS),
    ),
    "SPLIT": Kernel(
        prepare_split,
        tuple(f"int32, {kind} -> {kind}" for kind in _TYPES),
        "tensorflow/lite/micro/kernels/split.cc",
        "the axis is a constant",
        has_parts=True,
    ),
    "SPLIT_V": Kernel(
        prepare_split_v,
        tuple(f"{kind} -> {kind}" for kind in _TYPES),
        "tensorflow/lite/micro/kernels/split_v.cc",
        "the axis is a constant",
        input_count=(3, 3),
        has_parts=True,
    ),
}
