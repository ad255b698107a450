"""Operators that move bytes: CONCATENATION, PAD, RESHAPE, RESIZE_NEAREST_NEIGHBOR, STRIDED_SLICE.

Where the storage already has the result in place, they emit nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.moves import contiguous_offset
from firmware_ref.c_export.nodes import operator_node, source_indices
from firmware_ref.c_export.steps import Step
from firmware_ref.kernels.pad import border_value
from firmware_ref.options import ConcatenationOptions

BOX_AXES = 4


def emit_contiguous(emitter: Emitter, step: Step) -> None:
    """RESHAPE and its like: a view, or one memcpy."""
    x, y = step.inputs[0], step.outputs[0]
    if not emitter.lies_in_place(y, x, 0):
        emitter.call("memcpy", emitter.place(y), emitter.place(x), emitter.graph.tensors[y].bytes)


def emit_strided_slice(emitter: Emitter, step: Step) -> None:
    """A view, one memcpy, or tfkd_copy_box."""
    node = operator_node(emitter.graph, step.operator)
    x, y = step.inputs[0], step.outputs[0]
    size = emitter.graph.tensors[y].bytes
    offset = contiguous_offset(emitter.graph, step.operator)
    if offset is not None:
        if not emitter.lies_in_place(y, x, offset):
            emitter.call("memcpy", emitter.place(y), emitter.place(x, offset), size)
        return
    indices = source_indices(emitter.graph, step.operator)
    if indices.size == 0:
        raise node.error("yields no element")
    # Along every axis a slice advances by a constant stride.
    strides = [
        int(np.take(indices, 1, axis).flat[0] - indices.flat[0]) if length > 1 else 0
        for axis, length in enumerate(indices.shape)
    ]
    _copy_box(
        emitter, step, emitter.place(y), emitter.place(x, int(indices.flat[0])),
        indices.shape, strides, _strides(indices.shape),
    )  # fmt: skip


def emit_concatenation(emitter: Emitter, step: Step) -> None:
    """One copy for every input that does not lie in its place yet."""
    node = operator_node(emitter.graph, step.operator)
    y = node.output()
    axis = node.options(ConcatenationOptions).axis % len(y.shape)
    rows, row_bytes = math.prod(y.shape[:axis]), math.prod(y.shape[axis:])
    offset = 0
    for position, index in enumerate(step.inputs):
        part_bytes = math.prod(emitter.graph.tensors[index].shape[axis:])
        out, source = emitter.place(step.outputs[0], offset), emitter.place(index)
        if rows > 1:
            _copy_box(
                emitter, step, out, source, (rows, part_bytes), (part_bytes, 1), (row_bytes, 1),
                part=f"_{position}",
            )  # fmt: skip
        elif not emitter.lies_in_place(index, step.outputs[0], offset):
            emitter.call("memcpy", out, source, part_bytes)
        offset += part_bytes


def emit_pad(emitter: Emitter, step: Step) -> None:
    """memset of the border, tfkd_copy_box of the inside."""
    node = operator_node(emitter.graph, step.operator)
    x, y = node.input(0), node.output()
    if len(x.shape) > BOX_AXES:
        raise node.error(f"pads {len(x.shape)} axes; the C export takes {BOX_AXES}")
    before = node.constant_integers(1)[::2]
    out_strides = _strides(y.shape)
    start = sum(b * stride for b, stride in zip(before, out_strides, strict=True))
    border = int(border_value(node))
    emitter.call("memset", emitter.place(step.outputs[0]), border, y.tensor.bytes)
    _copy_box(
        emitter, step, emitter.place(step.outputs[0], start), emitter.place(step.inputs[0]),
        x.shape, _strides(x.shape), out_strides,
    )  # fmt: skip


def emit_resize_nearest_neighbor(emitter: Emitter, step: Step) -> None:
    """tfkd_gather."""
    node = operator_node(emitter.graph, step.operator)
    x = node.input(0)
    channels = x.shape[3]
    pixels = source_indices(emitter.graph, step.operator)[..., 0].reshape(-1) // channels
    if x.tensor.elements // channels > 2**16:
        raise node.error("gathers from more than 65536 pixels, which the C export lacks")
    emitter.call(
        "tfkd_gather",
        emitter.place(step.outputs[0]),
        emitter.place(step.inputs[0]),
        emitter.constant(step, "pixels", "uint16_t", pixels),
        pixels.size,
        channels,
    )


def _copy_box(
    emitter: Emitter,
    step: Step,
    out: str,
    source: str,
    size: Sequence[int],
    in_strides: Sequence[int],
    out_strides: Sequence[int],
    part: str = "",
) -> None:
    missing = BOX_AXES - len(size)
    fields = {
        "size": [1] * missing + list(size),
        "in_stride": [0] * missing + list(in_strides),
        "out_stride": [0] * missing + list(out_strides),
    }
    box = {name: "{" + ", ".join(map(str, values)) + "}" for name, values in fields.items()}
    emitter.call("tfkd_copy_box", out, source, emitter.parameter(step, "tfkd_box", box, part))


def _strides(shape: Sequence[int]) -> list[int]:
    """Elements from one index to the next along each axis of a packed tensor."""
    return [math.prod(shape[axis + 1 :]) for axis in range(len(shape))]
