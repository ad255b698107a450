"""Models with a state, run for several frames: SVDF, LSTM and resource variables."""

from __future__ import annotations

from functools import partial

import numpy as np
from draws import Rng, quantised, scale, scale_of, sizes, values, zero_point, zero_point_of
from model_builder import RESOURCE
from numpy.typing import DTypeLike
from one_op_case import Case, Draw, case, one_op_graph

_FRAMES = 4


def _svdf(rng: Rng, state_type: DTypeLike) -> Case:
    model, graph = one_op_graph()
    batch, inputs, memory, units = sizes(rng, 4, 1, 6)
    rank = int(rng.integers(1, 4))
    filters = units * rank
    info = np.iinfo(state_type)
    x = quantised(graph, rng, (batch, inputs), np.int8, of_scale=scale(rng, 2.0**-9, 2.0**-2))
    feature = quantised(
        graph, rng, (filters, inputs), np.int8,
        of_scale=scale(rng, 2.0**-9, 2.0**-4), of_zero_point=0,
        data=values(rng, (filters, inputs), np.int8),
    )  # fmt: skip
    # An accumulator of `inputs` products should use the state's range, and sometimes leave it.
    product = scale_of(graph, x) * scale_of(graph, feature)
    state_scale = product * inputs * 2.0**14 / info.max * np.exp(rng.uniform(-2, 2))
    time = quantised(
        graph, rng, (filters, memory), state_type, of_zero_point=0,
        of_scale=scale(rng, 1e-7, 1e-6) if state_type == np.int16 else scale(rng, 2.0**-12, 0.1),
        data=values(rng, (filters, memory), state_type),
    )  # fmt: skip
    bias_scale = np.float32(state_scale) * np.float32(scale_of(graph, time))
    bias = graph.tensor(
        (units,), np.int32, scale=bias_scale, data=rng.integers(-(2**16), 2**16, units)
    )
    state = quantised(
        graph, rng, (batch, filters * memory), state_type, of_scale=state_scale, is_variable=True
    )
    spread = float(bias_scale) * memory * rank * info.max * 2.0**6
    y = quantised(
        graph, rng, (batch, units), np.int8, of_scale=spread / 128 * np.exp(rng.uniform(-2, 2))
    )
    graph.operator("SVDF", [x, feature, time, bias, state], [y], options="SVDFOptions", rank=rank)
    return case(model, rng, [x], [y], frames=_FRAMES)


def _lstm(rng: Rng, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    batch, time, inputs, cells = sizes(rng, 4, 1, 5)
    time_major = bool(rng.integers(2))
    outer = (time, batch) if time_major else (batch, time)
    steps = np.iinfo(dtype).max + 1
    x = quantised(
        graph, rng, (*outer, inputs), dtype, of_scale=scale(rng, 0.5 / steps, 32.0 / steps)
    )
    hidden_zero, hidden_scale = zero_point(rng, dtype), np.float32(rng.uniform(0.8, 1.2) / steps)
    bias_type = np.int32 if np.dtype(dtype) == np.int8 else np.int64

    def weights(columns: int) -> int:
        data = np.clip(values(rng, (cells, columns), np.int8), -127, 127)
        return quantised(
            graph, rng, data.shape, np.int8,
            of_scale=scale(rng, 2.0**-9, 2.0**-4), of_zero_point=0, data=data,
        )  # fmt: skip

    from_input = [weights(inputs) for _ in range(4)]
    from_hidden = [weights(cells) for _ in range(4)]
    biases = [
        graph.tensor(
            (cells,), bias_type, scale=scale_of(graph, w) * scale_of(graph, x),
            data=rng.integers(-32 * steps, 32 * steps, cells),
        )
        for w in from_input
    ]  # fmt: skip
    hidden = graph.tensor(
        (batch, cells), dtype, scale=hidden_scale, zero_point=hidden_zero, is_variable=True
    )
    cell = graph.tensor(
        (batch, cells), np.int16, scale=2.0 ** -float(rng.integers(9, 16)), is_variable=True
    )
    y = graph.tensor((*outer, cells), dtype, scale=hidden_scale, zero_point=hidden_zero)
    graph.operator(
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        [x, *from_input, *from_hidden, -1, -1, -1, *biases, -1, -1, hidden, cell, -1, -1, -1, -1],
        [y],
        options="UnidirectionalSequenceLSTMOptions",
        fusedActivationFunction=4,  # TANH
        cellClip=float(rng.choice([0.0, 0.5, 10.0])),
        timeMajor=time_major,
    )
    return case(model, rng, [x], [y], frames=_FRAMES)


def _variables(rng: Rng, dtype: DTypeLike) -> Case:
    """y = x + variable; variable = x, for one or two variables; CALL_ONCE may give first values."""
    model, graph = one_op_graph()
    shape = sizes(rng, int(rng.integers(1, 4)), 1, 5)
    initialised = bool(rng.integers(2))
    count = int(rng.integers(1, 3))
    init = model.subgraph() if initialised else None
    if init is not None:
        graph.operator("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    inputs, outputs = [], []
    for number in range(count):
        name = {"container": "", "sharedName": f"state{number}"}
        x = quantised(graph, rng, shape, dtype)
        like_x = {"of_scale": scale_of(graph, x), "of_zero_point": zero_point_of(graph, x)}
        handle = graph.tensor((), RESOURCE)
        old = quantised(graph, rng, shape, dtype, **like_x)
        y = quantised(graph, rng, shape, dtype, of_scale=2 * scale_of(graph, x))
        graph.operator("VAR_HANDLE", [], [handle], options="VarHandleOptions", **name)
        graph.operator("READ_VARIABLE", [handle], [old], options="ReadVariableOptions")
        graph.operator("ADD", [x, old], [y], options="AddOptions")
        graph.operator("ASSIGN_VARIABLE", [handle, x], [], options="AssignVariableOptions")
        if init is not None:
            first = quantised(init, rng, shape, dtype, **like_x, data=values(rng, shape, dtype))
            init_handle = init.tensor((), RESOURCE)
            init.operator("VAR_HANDLE", [], [init_handle], options="VarHandleOptions", **name)
            init.operator(
                "ASSIGN_VARIABLE", [init_handle, first], [], options="AssignVariableOptions"
            )
        inputs.append(x)
        outputs.append(y)
    return case(model, rng, inputs, outputs, frames=_FRAMES)


STATE_MODELS: dict[str, Draw] = {
    "SVDF": partial(_svdf, state_type=np.int8),
    "SVDF/int16": partial(_svdf, state_type=np.int16),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": partial(_lstm, dtype=np.int8),
    "UNIDIRECTIONAL_SEQUENCE_LSTM/int16": partial(_lstm, dtype=np.int16),
    "VARIABLES": partial(_variables, dtype=np.int8),
    "VARIABLES/int16": partial(_variables, dtype=np.int16),
}
