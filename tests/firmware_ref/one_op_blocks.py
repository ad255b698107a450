"""Models of the operators that stack tensors, cut them up, or turn blocks into other axes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from draws import Rng, sizes
from one_op_case import Case, Draw, case, one_op_graph
from one_op_shape import drawn_type, move, tensor_like


def _stacked(rng: Rng) -> tuple[tuple[int, ...], tuple[int, ...], int, int]:
    """Shapes of a part and of the whole, the axis between them, as signed, and its length."""
    part = sizes(rng, int(rng.integers(1, 4)), 1, 5)
    axis, count = int(rng.integers(len(part) + 1)), int(rng.integers(1, 6))
    signed = axis - len(part) - 1 if rng.integers(2) else axis
    return part, (*part[:axis], count, *part[axis:]), signed, count


def _pack(rng: Rng) -> Case:
    model, graph = one_op_graph()
    dtype = drawn_type(rng, np.int32, np.float32)
    part, whole, axis, count = _stacked(rng)
    y = tensor_like(graph, rng, whole, dtype, None)
    parts = [tensor_like(graph, rng, part, dtype, y) for _ in range(count)]
    graph.operator("PACK", parts, [y], options="PackOptions", valuesCount=count, axis=axis)
    return case(model, rng, parts, [y])


def _unpack(rng: Rng) -> Case:
    model, graph = one_op_graph()
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    part, whole, axis, count = _stacked(rng)
    x = tensor_like(graph, rng, whole, dtype, None)
    parts = [tensor_like(graph, rng, part, dtype, x) for _ in range(count)]
    graph.operator("UNPACK", [x], parts, options="UnpackOptions", num=count, axis=axis)
    return case(model, rng, [x], parts)


def _slice(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 6)), 1, 6)
    begin = [int(rng.integers(n)) for n in shape]
    out_shape = tuple(int(rng.integers(1, n - b + 1)) for n, b in zip(shape, begin, strict=True))
    to_the_end = [b + n == whole for b, n, whole in zip(begin, out_shape, shape, strict=True)]
    size = [
        -1 if ends and rng.integers(2) else n for n, ends in zip(out_shape, to_the_end, strict=True)
    ]
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    return move(rng, "SLICE", shape, out_shape, dtype, [begin, size], "SliceOptions")


def _blocks(rng: Rng) -> tuple[tuple[int, ...], tuple[int, ...], list[int], np.ndarray]:
    """Shapes of a whole and of its blocks as batches, block sizes, what lies around the whole."""
    axes = int(rng.integers(1, 3))
    block = [int(n) for n in rng.integers(1, 4, axes)]
    cells = sizes(rng, axes, 1, 4)
    edges = np.zeros((axes, 2), np.int32)
    for axis in range(axes):
        for side in range(2):
            room = cells[axis] * block[axis] - int(edges[axis].sum()) - 1
            edges[axis, side] = rng.integers(0, min(room, 3) + 1)
    batch, channels = sizes(rng, 2, 1, 3)
    space = [n * b - int(e.sum()) for n, b, e in zip(cells, block, edges, strict=True)]
    return (
        (batch, *space, channels),
        (batch * int(np.prod(block)), *cells, channels),
        block,
        edges,
    )


# glibc maps a block of this size anew each time, so the arena begins zeroed, as on a chip.
ZEROED_ARENA_BYTES = 64 * 2**20


def _space_to_batch_nd(rng: Rng) -> Case:
    whole, parts, block, paddings = _blocks(rng)
    drawn = move(
        rng, "SPACE_TO_BATCH_ND", whole, parts, drawn_type(rng, np.float32),
        [np.array(block), paddings], "SpaceToBatchNDOptions",
    )  # fmt: skip
    return replace(drawn, arena_bytes=ZEROED_ARENA_BYTES)


def _batch_to_space_nd(rng: Rng) -> Case:
    whole, parts, block, crops = _blocks(rng)
    return move(
        rng, "BATCH_TO_SPACE_ND", parts, whole, drawn_type(rng, np.float32),
        [np.array(block), crops], "BatchToSpaceNDOptions",
    )  # fmt: skip


def _depth(rng: Rng, name: str, options: str) -> Case:
    batch, height, width, channels = sizes(rng, 4, 1, 4)
    block = int(rng.integers(1, 4))
    space = (batch, height * block, width * block, channels)
    depth = (batch, height, width, channels * block**2)
    shapes = (space, depth) if name == "SPACE_TO_DEPTH" else (depth, space)
    return move(rng, name, *shapes, drawn_type(rng, np.float32), None, options, blockSize=block)


BLOCK_MODELS: dict[str, Draw] = {
    "PACK": _pack,
    "UNPACK": _unpack,
    "SLICE": _slice,
    "SPACE_TO_BATCH_ND": _space_to_batch_nd,
    "BATCH_TO_SPACE_ND": _batch_to_space_nd,
    "SPACE_TO_DEPTH": partial(_depth, name="SPACE_TO_DEPTH", options="SpaceToDepthOptions"),
    "DEPTH_TO_SPACE": partial(_depth, name="DEPTH_TO_SPACE", options="DepthToSpaceOptions"),
}
