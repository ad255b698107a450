"""Models of functions of one tensor: activations, SOFTMAX, pooling, reductions, QUANTIZE."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from draws import Rng, activation, quantised, scale, scale_of, sizes, zero_point_of
from numpy.typing import DTypeLike
from one_op_case import Case, Draw, case, one_op_graph


def _shape(rng: Rng) -> tuple[int, ...]:
    return sizes(rng, int(rng.integers(1, 5)), 1, 6)


def _unary(
    rng: Rng,
    name: str,
    dtype: DTypeLike,
    *,
    out_scale: float | None = None,
    out_zero_point: int | None = None,
) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    x = quantised(graph, rng, shape, dtype)
    y = quantised(graph, rng, shape, dtype, of_scale=out_scale, of_zero_point=out_zero_point)
    graph.operator(name, [x], [y])
    return case(model, rng, [x], [y])


def _abs(rng: Rng, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    x = quantised(graph, rng, shape, dtype)
    same = scale_of(graph, x) if rng.integers(3) == 0 else None
    y = quantised(graph, rng, shape, dtype, of_scale=same)
    graph.operator("ABS", [x], [y])
    return case(model, rng, [x], [y])


def rsqrt(rng: Rng, of_zero_point: int = -128) -> Case:
    """Of numbers that are not negative: TFLM fails on others, and none is with this zero point."""
    model, graph = one_op_graph()
    shape = _shape(rng)
    x = quantised(graph, rng, shape, np.int8, of_zero_point=of_zero_point)
    largest = 1.0 / np.sqrt(scale_of(graph, x))  # of one step
    y = quantised(graph, rng, shape, np.int8, of_scale=largest / 2.0 ** rng.uniform(0, 9))
    graph.operator("RSQRT", [x], [y])
    drawn = case(model, rng, [x], [y])
    least = np.int8(of_zero_point)
    return replace(
        drawn, frames=tuple(tuple(np.maximum(v, least) for v in f) for f in drawn.frames)
    )


def _relu6(rng: Rng, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    x = quantised(graph, rng, shape, dtype)
    y = quantised(graph, rng, shape, dtype, of_scale=scale_of(graph, x))
    graph.operator("RELU6", [x], [y])
    return case(model, rng, [x], [y])


def _leaky_relu(rng: Rng, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    x, y = (quantised(graph, rng, shape, dtype) for _ in range(2))
    alpha = float(rng.choice([0.0, 0.01, 0.3, 1.0, 1.7, -0.5, rng.uniform(0, 1)]))
    graph.operator("LEAKY_RELU", [x], [y], options="LeakyReluOptions", alpha=alpha)
    return case(model, rng, [x], [y])


def _prelu(rng: Rng, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    shape = sizes(rng, 4, 1, 5)
    alpha_shape = rng.choice([0, 1, 2])
    shapes = [(1, 1, shape[3]), shape, tuple(n if rng.integers(2) else 1 for n in shape)]
    x = quantised(graph, rng, shape, dtype)
    data = rng.integers(-128, 128, shapes[alpha_shape], dtype=np.int8)
    a = quantised(graph, rng, shapes[alpha_shape], np.int8, of_scale=scale(rng, 2.0**-9, 0.1),
                  data=data)  # fmt: skip
    y = quantised(graph, rng, shape, dtype)
    graph.operator("PRELU", [x, a], [y])
    return case(model, rng, [x], [y])


def _hard_swish(rng: Rng) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    x = quantised(graph, rng, shape, np.int8)
    smallest = scale_of(graph, x) / 100  # TFLM refuses scales below 1/128 of the input's
    octaves = rng.uniform(0, 24 if rng.integers(8) == 0 else 10)
    y = quantised(graph, rng, shape, np.int8, of_scale=smallest * 2.0**octaves)
    graph.operator("HARD_SWISH", [x], [y])
    return case(model, rng, [x], [y])


def _softmax(rng: Rng, dtype: DTypeLike, *, source: DTypeLike = np.int8) -> Case:
    model, graph = one_op_graph()
    shape = (*sizes(rng, int(rng.integers(0, 4)), 1, 4), int(rng.integers(1, 40)))
    x = quantised(graph, rng, shape, source)
    bits = np.dtype(dtype).itemsize * 8
    if np.dtype(source) == np.int16:
        y = quantised(graph, rng, shape, dtype, of_scale=2.0**-15, of_zero_point=0)
    else:
        lowest = -(2 ** (bits - 1))
        y = quantised(graph, rng, shape, dtype, of_scale=2.0**-bits, of_zero_point=lowest)
    beta = float(rng.choice([1.0, 0.5, 2.0, rng.uniform(0.1, 3)]))
    graph.operator("SOFTMAX", [x], [y], options="SoftmaxOptions", beta=beta)
    return case(model, rng, [x], [y])


def _pool(rng: Rng, name: str, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    batch, height, width, channels = sizes(rng, 4, 1, 9)
    same = bool(rng.integers(2))
    windows = [int(rng.integers(1, (n + 2 if same else n) + 1)) for n in (height, width)]
    if rng.integers(6) == 0:
        windows = [height, width]  # global pooling
    strides = [int(s) for s in rng.integers(1, 4, 2)]
    out = [
        -(-n // s) if same else -(-(n - k + 1) // s)
        for n, k, s in zip((height, width), windows, strides, strict=True)
    ]
    x = quantised(graph, rng, (batch, height, width, channels), dtype)
    y = quantised(
        graph, rng, (batch, *out, channels), dtype,
        of_scale=scale_of(graph, x), of_zero_point=zero_point_of(graph, x),
    )  # fmt: skip
    graph.operator(
        name, [x], [y], options="Pool2DOptions", padding=0 if same else 1,
        strideH=strides[0], strideW=strides[1], filterHeight=windows[0], filterWidth=windows[1],
        fusedActivationFunction=activation(rng),
    )  # fmt: skip
    return case(model, rng, [x], [y])


def _reduced(rng: Rng, name: str, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    rank = int(rng.integers(1, 5))
    shape = sizes(rng, rank, 1, 9)
    count = int(rng.integers(1, rank + 1))
    axes = rng.permutation(rank)[:count]
    keep_dims = bool(rng.integers(2))
    kept = [1 if i in axes else n for i, n in enumerate(shape)]
    dropped = [n for i, n in enumerate(shape) if i not in axes]
    signed = np.array([a - rank if rng.integers(2) else a for a in axes], np.int32)
    x = quantised(graph, rng, shape, dtype)
    axis = graph.tensor((count,), np.int32, data=signed)
    same = name.startswith("REDUCE") or rng.integers(4) == 0
    y = quantised(
        graph, rng, tuple(kept if keep_dims else dropped), dtype,
        of_scale=scale_of(graph, x) if same else None,
        of_zero_point=zero_point_of(graph, x) if same else None,
    )  # fmt: skip
    graph.operator(name, [x, axis], [y], options="ReducerOptions", keepDims=keep_dims)
    return case(model, rng, [x], [y])


def _quantize(rng: Rng, source: DTypeLike, target: DTypeLike) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    if np.dtype(source) == np.float32:
        x = graph.tensor(shape, source)
    else:
        low = 2.0**-20 if np.dtype(source) == np.int32 else 2.0**-12
        x = quantised(graph, rng, shape, source, of_scale=scale(rng, low))
    if np.dtype(source) == np.int32:
        # A factor above 1 would overflow the int32 products, which C++ leaves undefined.
        y = quantised(graph, rng, shape, target, of_scale=scale(rng, 2.0**4, 2.0**14))
    else:
        y = quantised(graph, rng, shape, target)
    graph.operator("QUANTIZE", [x], [y])
    return case(model, rng, [x], [y])


def _dequantize(rng: Rng, source: DTypeLike) -> Case:
    model, graph = one_op_graph()
    shape = _shape(rng)
    x = quantised(graph, rng, shape, source)
    y = graph.tensor(shape, np.float32)
    graph.operator("DEQUANTIZE", [x], [y])
    return case(model, rng, [x], [y])


_QUANTIZE_TYPES = {
    "float32": ("int8", "int16"),
    "int8": ("int8", "int16", "int32"),
    "int16": ("int8", "int16", "int32"),
    "int32": ("int8", "int16"),
}

ACTIVATION_MODELS: dict[str, Draw] = {
    "LOGISTIC": partial(
        _unary, name="LOGISTIC", dtype=np.int8, out_scale=2.0**-8, out_zero_point=-128
    ),
    "LOGISTIC/int16": partial(_unary, name="LOGISTIC", dtype=np.int16, out_scale=2.0**-15),
    "TANH": partial(_unary, name="TANH", dtype=np.int8, out_scale=2.0**-7, out_zero_point=0),
    "TANH/int16": partial(_unary, name="TANH", dtype=np.int16, out_scale=2.0**-15),
    "RELU": partial(_unary, name="RELU", dtype=np.int8),
    "RELU/int16": partial(_unary, name="RELU", dtype=np.int16),
    "RELU6": partial(_relu6, dtype=np.int8),
    "RELU6/int16": partial(_relu6, dtype=np.int16),
    "LEAKY_RELU": partial(_leaky_relu, dtype=np.int8),
    "LEAKY_RELU/int16": partial(_leaky_relu, dtype=np.int16),
    "PRELU": partial(_prelu, dtype=np.int8),
    "PRELU/int16": partial(_prelu, dtype=np.int16),
    "HARD_SWISH": _hard_swish,
    "SOFTMAX": partial(_softmax, dtype=np.int8),
    "SOFTMAX/int8-int16": partial(_softmax, dtype=np.int16),
    "SOFTMAX/int16": partial(_softmax, dtype=np.int16, source=np.int16),
    "MAX_POOL_2D": partial(_pool, name="MAX_POOL_2D", dtype=np.int8),
    "MAX_POOL_2D/int16": partial(_pool, name="MAX_POOL_2D", dtype=np.int16),
    "AVERAGE_POOL_2D": partial(_pool, name="AVERAGE_POOL_2D", dtype=np.int8),
    "AVERAGE_POOL_2D/int16": partial(_pool, name="AVERAGE_POOL_2D", dtype=np.int16),
    "MEAN": partial(_reduced, name="MEAN", dtype=np.int8),
    "MEAN/int16": partial(_reduced, name="MEAN", dtype=np.int16),
    "SUM": partial(_reduced, name="SUM", dtype=np.int8),
    "SUM/int16": partial(_reduced, name="SUM", dtype=np.int16),
    "REDUCE_MAX": partial(_reduced, name="REDUCE_MAX", dtype=np.int8),
    "REDUCE_MIN": partial(_reduced, name="REDUCE_MIN", dtype=np.int8),
    "ABS": partial(_abs, dtype=np.int8),
    "ABS/int16": partial(_abs, dtype=np.int16),
    "RSQRT": rsqrt,
    "ELU": partial(_unary, name="ELU", dtype=np.int8),
    **{
        f"QUANTIZE/{source}-{target}": partial(_quantize, source=source, target=target)
        for source, targets in _QUANTIZE_TYPES.items()
        for target in targets
    },
    "DEQUANTIZE/int8": partial(_dequantize, source=np.int8),
    "DEQUANTIZE/int16": partial(_dequantize, source=np.int16),
}
