"""Models of the operators that move data: concatenation, slices, padding, reshaping, resizing."""

from __future__ import annotations

import numpy as np
from draws import Rng, quantised, scale_of, sizes, values, zero_point_of
from model_builder import SubgraphBuilder
from numpy.typing import DTypeLike
from one_op_case import Case, Draw, case, one_op_graph


def drawn_type(rng: Rng, *types: DTypeLike) -> np.dtype:
    """int8 half of the time, else one of the others that TFLM moves."""
    return np.dtype(np.int8 if rng.integers(2) else rng.choice(types))


def tensor_like(
    graph: SubgraphBuilder, rng: Rng, shape: tuple[int, ...], dtype: np.dtype, like: int | None
) -> int:
    """Quantised as `like` when the type is a quantised one."""
    if dtype.kind == "f" or dtype.itemsize > 2:
        return graph.tensor(shape, dtype)
    if like is None:
        return quantised(graph, rng, shape, dtype)
    return quantised(
        graph, rng, shape, dtype,
        of_scale=scale_of(graph, like), of_zero_point=zero_point_of(graph, like),
    )  # fmt: skip


def move(
    rng: Rng,
    name: str,
    shape: tuple[int, ...],
    out_shape: tuple[int, ...],
    dtype: np.dtype,
    constants: list[np.ndarray] | None = None,
    options: str | None = None,
    **fields: object,
) -> Case:
    """One input, constant int32 parameters, one output of the same quantisation."""
    model, graph = one_op_graph()
    x = tensor_like(graph, rng, shape, dtype, None)
    parameters = [
        graph.tensor(np.shape(c), np.int32, data=np.asarray(c, np.int32)) for c in constants or ()
    ]
    y = tensor_like(graph, rng, out_shape, dtype, x)
    graph.operator(name, [x, *parameters], [y], options=options, **fields)
    return case(model, rng, [x], [y])


def _concatenation(rng: Rng) -> Case:
    model, graph = one_op_graph()
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    shape = list(sizes(rng, int(rng.integers(1, 5)), 1, 5))
    axis = int(rng.integers(len(shape)))
    tensors: list[int] = []
    constant: set[int] = set()
    total = 0
    for _ in range(int(rng.integers(1, 11))):
        part = list(shape)
        part[axis] = int(rng.integers(1, 5))
        total += part[axis]
        tensor = tensor_like(graph, rng, tuple(part), dtype, tensors[0] if tensors else None)
        if tensors and rng.integers(6) == 0:
            graph.tensors[tensor].buffer = model.buffer(values(rng, tuple(part), dtype).tobytes())
            constant.add(tensor)
        tensors.append(tensor)
    shape[axis] = total
    y = tensor_like(graph, rng, tuple(shape), dtype, tensors[0])
    signed = axis - len(shape) if rng.integers(2) else axis
    graph.operator("CONCATENATION", tensors, [y], options="ConcatenationOptions", axis=signed)
    return case(model, rng, [t for t in tensors if t not in constant], [y])


def _split(rng: Rng) -> Case:
    model, graph = one_op_graph()
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    shape = list(sizes(rng, int(rng.integers(1, 5)), 1, 5))
    axis = int(rng.integers(len(shape)))
    parts = int(rng.integers(1, 5))
    x = tensor_like(
        graph, rng, tuple(n * parts if i == axis else n for i, n in enumerate(shape)), dtype, None
    )
    signed = axis - len(shape) if rng.integers(2) else axis
    axis_tensor = graph.tensor((), np.int32, data=np.int32(signed))
    outputs = [tensor_like(graph, rng, tuple(shape), dtype, x) for _ in range(parts)]
    graph.operator("SPLIT", [axis_tensor, x], outputs, options="SplitOptions", numSplits=parts)
    return case(model, rng, [x], outputs)


def _split_v(rng: Rng) -> Case:
    model, graph = one_op_graph()
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    shape = list(sizes(rng, int(rng.integers(1, 5)), 1, 5))
    axis = int(rng.integers(len(shape)))
    parts = sizes(rng, int(rng.integers(1, 5)), 1, 4)

    def with_length(length: int) -> tuple[int, ...]:
        return tuple(length if i == axis else n for i, n in enumerate(shape))

    x = tensor_like(graph, rng, with_length(sum(parts)), dtype, None)
    lengths = graph.tensor((len(parts),), np.int32, data=parts)
    signed = axis - len(shape) if rng.integers(2) else axis
    axis_tensor = graph.tensor((), np.int32, data=np.int32(signed))
    outputs = [tensor_like(graph, rng, with_length(part), dtype, x) for part in parts]
    graph.operator(
        "SPLIT_V", [x, lengths, axis_tensor], outputs,
        options="SplitVOptions", numSplits=len(parts),
    )  # fmt: skip
    return case(model, rng, [x], outputs)


def _strided_slice(rng: Rng) -> Case:
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    while True:
        shape = sizes(rng, int(rng.integers(1, 5)), 1, 7)
        rank = len(shape)
        bounds = [rng.integers(-n - 2, n + 3, 2) for n in shape]
        begin, end = (np.array([b[i] for b in bounds]) for i in range(2))
        strides = rng.choice([1, 1, 1, 2, 3, -1, -2], rank)
        begin_mask, end_mask = (int(m) for m in rng.integers(0, 2**rank, 2))
        shrink_mask = int(rng.integers(0, 2**rank)) if rng.integers(3) == 0 else 0
        index: list[int | slice] = []
        for i, n in enumerate(shape):
            if shrink_mask >> i & 1:
                begin[i] = rng.integers(-n, n)
                end[i], strides[i] = begin[i] + 1, 1
                begin_mask &= ~(1 << i)
                index.append(int(begin[i]))
            else:
                start = None if begin_mask >> i & 1 else int(begin[i])
                stop = None if end_mask >> i & 1 else int(end[i])
                index.append(slice(start, stop, int(strides[i])))
        out_shape = np.empty(shape)[tuple(index)].shape
        if 0 not in out_shape:
            break
    return move(
        rng, "STRIDED_SLICE", shape, out_shape, dtype, [begin, end, strides],
        "StridedSliceOptions", beginMask=begin_mask, endMask=end_mask, shrinkAxisMask=shrink_mask,
    )  # fmt: skip


def _paddings(rng: Rng, rank: int) -> np.ndarray:
    return rng.integers(0, 4, (rank, 2)).astype(np.int32)


def _pad(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 5)), 1, 5)
    paddings = _paddings(rng, len(shape))
    out_shape = tuple(int(n) for n in np.array(shape) + paddings.sum(axis=1))
    return move(
        rng,
        "PAD",
        shape,
        out_shape,
        drawn_type(rng, np.int16, np.float32),
        [paddings],
        "PadOptions",
    )


def _padv2(rng: Rng) -> Case:
    model, graph = one_op_graph()
    dtype = drawn_type(rng, np.int16, np.float32)
    shape = sizes(rng, int(rng.integers(1, 5)), 1, 5)
    paddings = _paddings(rng, len(shape))
    x = tensor_like(graph, rng, shape, dtype, None)
    pads = graph.tensor(paddings.shape, np.int32, data=paddings)
    value = tensor_like(graph, rng, (), dtype, x)
    graph.tensors[value].buffer = model.buffer(values(rng, (), dtype).tobytes())
    out_shape = tuple(int(n) for n in np.array(shape) + paddings.sum(axis=1))
    y = tensor_like(graph, rng, out_shape, dtype, x)
    graph.operator("PADV2", [x, pads, value], [y], options="PadV2Options")
    return case(model, rng, [x], [y])


def _reshape(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 5)), 1, 5)
    order = rng.permutation(len(shape))
    new = tuple(int(shape[i]) for i in order)
    if len(new) > 1 and rng.integers(2):
        new = (new[0] * new[1], *new[2:])
    wanted = np.array(new)
    if rng.integers(2):
        wanted[rng.integers(len(new))] = -1
    constants = [wanted] if rng.integers(4) else None
    return move(
        rng, "RESHAPE", shape, new, drawn_type(rng, np.int16, np.int32, np.float32), constants,
        "ReshapeOptions", newShape=[int(n) for n in wanted],
    )  # fmt: skip


def _transpose(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 5)), 1, 6)
    permutation = rng.permutation(len(shape))
    out_shape = tuple(int(shape[i]) for i in permutation)
    dtype = drawn_type(rng, np.int16, np.float32)
    return move(rng, "TRANSPOSE", shape, out_shape, dtype, [permutation], "TransposeOptions")


def _expand_dims(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 4)), 1, 6)
    axis = int(rng.integers(-len(shape) - 1, len(shape) + 1))
    out_shape = np.expand_dims(np.empty(shape), axis).shape
    dtype = drawn_type(rng, np.int16, np.float32)
    return move(rng, "EXPAND_DIMS", shape, out_shape, dtype, [np.int32(axis)], "ExpandDimsOptions")


def _squeeze(rng: Rng) -> Case:
    shape = tuple(n if rng.integers(2) else 1 for n in sizes(rng, int(rng.integers(1, 5)), 1, 5))
    ones = [i for i, n in enumerate(shape) if n == 1]
    chosen = [i for i in ones if rng.integers(2)] if rng.integers(2) else []
    removed = chosen or ones
    out_shape = tuple(n for i, n in enumerate(shape) if i not in removed)
    signed = [i - len(shape) if rng.integers(2) else i for i in chosen]
    dtype = drawn_type(rng, np.int16, np.float32)
    return move(rng, "SQUEEZE", shape, out_shape, dtype, None, "SqueezeOptions", squeezeDims=signed)


def _resize_nearest_neighbor(rng: Rng) -> Case:
    batch, height, width, channels = sizes(rng, 4, 1, 7)
    factor = int(rng.integers(1, 4))
    size = sizes(rng, 2, 1, 12) if rng.integers(2) else (height * factor, width * factor)
    align_corners = bool(rng.integers(2))
    return move(
        rng, "RESIZE_NEAREST_NEIGHBOR", (batch, height, width, channels),
        (batch, *size, channels), drawn_type(rng, np.int16, np.float32), [np.array(size)],
        "ResizeNearestNeighborOptions", alignCorners=align_corners,
        halfPixelCenters=not align_corners and bool(rng.integers(2)),
    )  # fmt: skip


def _resize_bilinear(rng: Rng) -> Case:
    batch, height, width, channels = sizes(rng, 4, 1, 7)
    size = sizes(rng, 2, 1, 12)
    align_corners = bool(rng.integers(2))
    return move(
        rng, "RESIZE_BILINEAR", (batch, height, width, channels), (batch, *size, channels),
        np.dtype(np.int8), [np.array(size)], "ResizeBilinearOptions", alignCorners=align_corners,
        halfPixelCenters=not align_corners and bool(rng.integers(2)),
    )  # fmt: skip


def _gather(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 4)), 1, 6)
    axis = int(rng.integers(len(shape)))
    positions = rng.integers(0, shape[axis], sizes(rng, int(rng.integers(1, 3)), 1, 5))
    out_shape = (*shape[:axis], *positions.shape, *shape[axis + 1 :])
    signed = axis - len(shape) if rng.integers(2) else axis
    return move(
        rng, "GATHER", shape, out_shape, drawn_type(rng, np.float32), [positions],
        "GatherOptions", axis=signed, batchDims=0,
    )  # fmt: skip


def _reverse(rng: Rng) -> Case:
    shape = sizes(rng, int(rng.integers(1, 5)), 1, 5)
    first, stop = sorted(int(n) for n in rng.choice(len(shape) + 1, 2, replace=False))
    axes = rng.permutation([i - len(shape) if rng.integers(2) else i for i in range(first, stop)])
    dtype = drawn_type(rng, np.int16, np.int32, np.float32)
    return move(rng, "REVERSE_V2", shape, shape, dtype, [axes], "ReverseV2Options")


def _shape(rng: Rng) -> Case:
    model, graph = one_op_graph()
    shape = sizes(rng, int(rng.integers(1, 6)), 1, 5)
    x = tensor_like(graph, rng, shape, drawn_type(rng, np.int16, np.int32, np.float32), None)
    y = graph.tensor((len(shape),), np.int32)
    graph.operator("SHAPE", [x], [y], options="ShapeOptions", outType=2)  # TensorType.INT32
    return case(model, rng, [x], [y])


def _fill(rng: Rng) -> Case:
    model, graph = one_op_graph()
    shape = sizes(rng, int(rng.integers(1, 5)), 1, 5)
    dims = graph.tensor((len(shape),), np.int32, data=np.array(shape))
    dtype = drawn_type(rng, np.int32, np.float32)
    y = tensor_like(graph, rng, shape, dtype, None)
    value = graph.tensor((), dtype, data=values(rng, (), dtype))
    graph.operator("FILL", [dims, value], [y], options="FillOptions")
    return case(model, rng, [], [y])


SHAPE_MODELS: dict[str, Draw] = {
    "RESIZE_BILINEAR": _resize_bilinear,
    "GATHER": _gather,
    "REVERSE_V2": _reverse,
    "SHAPE": _shape,
    "FILL": _fill,
    "CONCATENATION": _concatenation,
    "SPLIT": _split,
    "SPLIT_V": _split_v,
    "STRIDED_SLICE": _strided_slice,
    "PAD": _pad,
    "PADV2": _padv2,
    "RESHAPE": _reshape,
    "TRANSPOSE": _transpose,
    "EXPAND_DIMS": _expand_dims,
    "SQUEEZE": _squeeze,
    "RESIZE_NEAREST_NEIGHBOR": _resize_nearest_neighbor,
}
