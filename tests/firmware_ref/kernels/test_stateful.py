"""SVDF, UNIDIRECTIONAL_SEQUENCE_LSTM and resource variables, without TFLM."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_node import Resources, prepared, run, view

from firmware_ref.errors import ModelError
from firmware_ref.options import (
    Activation,
    CallOnceOptions,
    SVDFOptions,
    UnidirectionalSequenceLSTMOptions,
    VarHandleOptions,
)


def test_svdf_keeps_a_sliding_memory() -> None:
    # One filter with weight 2, memory of three steps weighed 1, 10, 100, all scales 1.
    x, y = view([[0]]), view([[0]], zero_point=-5)
    state = view([[0, 0, 0]], np.int16, variable=True)
    inputs = [
        x,
        view([[2]], constant=True),
        view([[1, 10, 100]], np.int16, constant=True),
        view([3], np.int32, constant=True),
        state,
    ]
    invoke = prepared("SVDF", inputs, [y], SVDFOptions(rank=1))
    outputs = []
    for value in (0, 1, 0, -1):
        x.array[...] = value
        invoke()
        outputs.append(y.array.item())
    # bias 3, zero point -5; memories [0 0 0], [0 0 2], [0 2 0], [2 0 -2]
    assert outputs == [-2, 127, 18, -128]
    assert state.array.tolist() == [[2, 0, -2]]


def test_svdf_sums_over_the_rank() -> None:
    inputs = [
        view([[1, 1]]),
        view([[1, 0], [0, 3]], constant=True),
        view([[1], [1]], constant=True),
        view([0], np.int32, constant=True),
        view([[0, 0]], variable=True),
    ]
    assert run("SVDF", inputs, view([[0]]), SVDFOptions(rank=2)) == [[4]]
    with pytest.raises(ModelError, match="do not fit together"):
        run("SVDF", inputs, view([[0]]), SVDFOptions(rank=3))


def lstm_inputs(rng: np.random.Generator, cells: int, features: int):
    """(inputs of the operator, real weights and biases), everything small and random."""
    x_scale, w_scale, h_scale = 1 / 64, 1 / 128, 1 / 128
    from_input = [rng.integers(-127, 128, (cells, features)) for _ in range(4)]
    from_hidden = [rng.integers(-127, 128, (cells, cells)) for _ in range(4)]
    biases = [rng.integers(-3000, 3000, cells) for _ in range(4)]
    x = view(rng.integers(-128, 128, (1, 5, features)), scale=x_scale)
    views = [
        x,
        *(view(w, scale=w_scale, constant=True) for w in (*from_input, *from_hidden)),
        None, None, None,
        *(view(b, np.int32, x_scale * w_scale, constant=True) for b in biases),
        None, None,
        view(np.zeros((1, cells)), np.int8, h_scale, variable=True),
        view(np.zeros((1, cells)), np.int16, 2**-12, variable=True),
        None, None, None, None,
    ]  # fmt: skip
    real = (
        [w * w_scale for w in from_input],
        [w * w_scale for w in from_hidden],
        [b * x_scale * w_scale for b in biases],
    )
    return views, real


TANH = UnidirectionalSequenceLSTMOptions(Activation.TANH)


def test_lstm_follows_the_real_recurrence() -> None:
    rng = np.random.default_rng(0)
    views, (from_input, from_hidden, biases) = lstm_inputs(rng, cells=4, features=3)
    x, y = views[0], view(np.zeros((1, 5, 4)), np.int8, 1 / 128)
    prepared("UNIDIRECTIONAL_SEQUENCE_LSTM", views, [y], TANH)()

    hidden, cell = np.zeros(4), np.zeros(4)
    for t in range(5):
        sums = [
            w @ (x.array[0, t] / 64) + r @ hidden + b
            for w, r, b in zip(from_input, from_hidden, biases, strict=True)
        ]
        input_gate, forget_gate, _, output_gate = (1 / (1 + np.exp(-s)) for s in sums)
        cell = forget_gate * cell + input_gate * np.tanh(sums[2])
        hidden = output_gate * np.tanh(cell)
        assert np.abs(y.array[0, t] / 128 - hidden).max() < 3 / 128


def test_lstm_state_carries_over() -> None:
    views, _ = lstm_inputs(np.random.default_rng(1), cells=3, features=2)
    x, y = views[0], view(np.zeros((1, 5, 3)), np.int8, 1 / 128)
    whole = prepared("UNIDIRECTIONAL_SEQUENCE_LSTM", views, [y], TANH)
    whole()
    first = y.array.copy()
    whole()
    assert not np.array_equal(first, y.array)
    views[18].array[...] = views[19].array[...] = 0
    step_in, step_out = view(np.zeros((1, 1, 2)), scale=1 / 64), view(
        np.zeros((1, 1, 3)), np.int8, 1 / 128
    )  # fmt: skip
    step = prepared("UNIDIRECTIONAL_SEQUENCE_LSTM", [step_in, *views[1:]], [step_out], TANH)
    for t in range(5):
        step_in.array[...] = x.array[:, t : t + 1]
        step()
        assert step_out.array.tolist() == first[:, t : t + 1].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({9: view([1])}, r"peephole, a projection or layer normalisation \(inputs 9\)"),
        ({1: view(np.zeros((4, 9)), constant=True)}, r"input 1 of shape \(4, 9\)"),
        ({19: view(np.zeros((1, 4)), np.int8, variable=True)}, "int16 cell state"),
        ({18: view(np.zeros((1, 4)), np.int8)}, "variable tensors"),
    ],
)
def test_lstm_refuses(change, message) -> None:
    views, _ = lstm_inputs(np.random.default_rng(0), cells=4, features=3)
    for position, replacement in change.items():
        views[position] = replacement
    with pytest.raises(ModelError, match=message):
        prepared("UNIDIRECTIONAL_SEQUENCE_LSTM", views, [view(np.zeros((1, 5, 4)))], TANH)


def handle_of(runtime: Resources, name: str):
    handle = view(0, np.int32, None)
    tensor_type = handle.tensor.type
    object.__setattr__(handle.tensor, "type", type(tensor_type).RESOURCE)
    prepared("VAR_HANDLE", [], [handle], VarHandleOptions("", name), runtime)()
    return handle


def test_variables_are_shared_by_name() -> None:
    runtime = Resources()
    first, again, other = (handle_of(runtime, name) for name in ("a", "a", "b"))
    assert first.array == again.array != other.array
    value, out = view([1, -2, 3], np.int16), view([0, 0, 0], np.int16)
    prepared("ASSIGN_VARIABLE", [first, value], [], runtime=runtime)()
    prepared("READ_VARIABLE", [again], [out], runtime=runtime)()
    assert out.array.tolist() == [1, -2, 3]


def test_reading_needs_a_variable_of_the_same_size() -> None:
    runtime = Resources()
    handle = handle_of(runtime, "a")
    read = prepared("READ_VARIABLE", [handle], [view([0, 0])], runtime=runtime)
    with pytest.raises(ModelError, match="reads 2 bytes from a variable that holds nothing"):
        read()
    prepared("ASSIGN_VARIABLE", [handle, view([1, 2, 3])], [], runtime=runtime)()
    with pytest.raises(ModelError, match="holds 3 bytes"):
        read()


def test_call_once_calls_once() -> None:
    runtime = Resources()
    invoke = prepared("CALL_ONCE", [], [], CallOnceOptions(2), runtime)
    for _ in range(3):
        invoke()
    assert runtime.invoked == [2]
