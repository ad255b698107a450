"""Models of operators with two operands, with broadcasting and constant operands."""

from __future__ import annotations

from functools import partial

import numpy as np
from draws import Rng, activation, quantised, scale, scale_of, sizes, values, zero_point_of
from numpy.typing import DTypeLike
from one_op_case import Case, Draw, case, one_op_graph

_OPTIONS = {
    "ADD": "AddOptions",
    "SUB": "SubOptions",
    "MUL": "MulOptions",
    "SQUARED_DIFFERENCE": "SquaredDifferenceOptions",
}


def _shapes(rng: Rng) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """Two operand shapes and their broadcast; half of the time all three are equal."""
    full = sizes(rng, int(rng.integers(1, 5)), 1, 5)
    if rng.integers(2):
        return full, full, full
    first = [n if rng.integers(2) else 1 for n in full]
    second = [n if first[i] != n or rng.integers(2) else 1 for i, n in enumerate(full)]
    if rng.integers(2):
        first, second = second, first
    shorter = int(rng.integers(0, len(full)))
    if all(n == 1 for n in second[:shorter]):
        second = second[shorter:]  # fewer dimensions, the missing ones are leading
    shape = np.broadcast_shapes(tuple(first), tuple(second))
    return tuple(first), tuple(second), tuple(int(n) for n in shape)


def _binary(rng: Rng, name: str, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    first_shape, second_shape, shape = _shapes(rng)
    is_constant = rng.integers(4) == 0
    first = quantised(graph, rng, first_shape, dtype)
    second = quantised(
        graph, rng, second_shape, dtype,
        data=values(rng, second_shape, dtype) if is_constant else None,
    )  # fmt: skip
    one, two = scale_of(graph, first), scale_of(graph, second)
    if name in ("MUL", "SQUARED_DIFFERENCE"):
        usual = one * two * np.iinfo(dtype).max
    else:
        usual = max(one, two)
    # The factor on the sum has to stay below 1 in TFLM, hence the bound below.
    y = quantised(graph, rng, shape, dtype, of_scale=np.float32(usual * np.exp(rng.uniform(-5, 3))))
    inputs = [first, second]
    if rng.integers(2):
        inputs.reverse()
    fused = {} if name == "SQUARED_DIFFERENCE" else {"fusedActivationFunction": activation(rng)}
    graph.operator(name, inputs, [y], options=_OPTIONS[name], **fused)
    return case(model, rng, [first] if is_constant else [first, second], [y])


def _choose(rng: Rng, name: str) -> Case:
    """MAXIMUM or MINIMUM: all three tensors are quantised alike, or not at all."""
    model, graph = one_op_graph()
    dtype = np.dtype(np.int8 if rng.integers(2) else rng.choice([np.int16, np.int32, np.float32]))
    first_shape, second_shape, shape = _shapes(rng)
    is_constant = rng.integers(4) == 0
    data = values(rng, second_shape, dtype) if is_constant else None
    if dtype.itemsize > 2:
        first = graph.tensor(first_shape, dtype)
        second, y = graph.tensor(second_shape, dtype, data=data), graph.tensor(shape, dtype)
    else:
        first = quantised(graph, rng, first_shape, dtype)
        alike = {
            "of_scale": scale_of(graph, first),
            "of_zero_point": zero_point_of(graph, first),
        }
        second = quantised(graph, rng, second_shape, dtype, data=data, **alike)
        y = quantised(graph, rng, shape, dtype, **alike)
    inputs = [first, second]
    if rng.integers(2):
        inputs.reverse()
    graph.operator(name, inputs, [y], options="MaximumMinimumOptions")
    return case(model, rng, [first] if is_constant else [first, second], [y])


def _square(rng: Rng, name: str, dtype: DTypeLike) -> Case:
    """Both operands are the same tensor."""
    model, graph = one_op_graph()
    shape = sizes(rng, 3, 1, 5)
    x = quantised(graph, rng, shape, dtype, of_scale=scale(rng, 2.0**-8, 2.0**-2))
    y = quantised(graph, rng, shape, dtype, of_scale=scale(rng, 2.0**-8, 2.0**-2))
    graph.operator(name, [x, x], [y], options=_OPTIONS[name])
    return case(model, rng, [x], [y])


ARITHMETIC_MODELS: dict[str, Draw] = {
    **{
        name + suffix: partial(_binary, name=name, dtype=dtype)
        for name in _OPTIONS
        for suffix, dtype in (("", np.int8), ("/int16", np.int16))
    },
    "MAXIMUM": partial(_choose, name="MAXIMUM"),
    "MINIMUM": partial(_choose, name="MINIMUM"),
    "ADD/same-operand": partial(_square, name="ADD", dtype=np.int8),
    "MUL/same-operand": partial(_square, name="MUL", dtype=np.int8),
}
