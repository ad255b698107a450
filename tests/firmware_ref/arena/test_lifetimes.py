"""Lifetimes of small graphs, counted by hand."""

from __future__ import annotations

import pytest
from known_models import KNOWN_MODELS, Layers
from model_builder import ModelBuilder

from firmware_ref.arena.lifetimes import MAX_CALL_DEPTH, find_lifetimes
from firmware_ref.errors import ModelError
from firmware_ref.reader import read_model


def test_a_chain_with_a_skip() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x, a, b, y = (n.activation([1, 4]) for _ in range(4))
    n.graph.operator("RELU", [x], [a])
    n.graph.operator("RELU", [a], [b])
    n.graph.operator("ADD", [a, b], [y], options="AddOptions")
    found = find_lifetimes(read_model(model.build([x], [y])))
    assert found.tensors == {(0, 0): (0, 1), (0, 1): (1, 3), (0, 2): (2, 3), (0, 3): (3, 3)}
    assert found.operators == {(0, 0): (1, 1), (0, 1): (2, 2), (0, 2): (3, 3)}
    assert found.step_count == 4


def test_outputs_live_to_the_end_and_untouched_tensors_never() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x, early, late, unused = (n.activation([1, 4]) for _ in range(4))
    n.graph.operator("RELU", [x], [early])
    n.graph.operator("RELU", [x], [late])
    found = find_lifetimes(read_model(model.build([x], [early, late])))
    assert found.tensor((0, early)) == (1, 2)
    assert found.tensor((0, late)) == (2, 2)
    assert found.tensor((0, unused)) == (-1, -1)


def test_a_tensor_that_is_written_twice_lives_from_the_first_time() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x, s, y = (n.activation([1, 4]) for _ in range(3))
    n.graph.operator("RELU", [x], [y])
    n.graph.operator("RELU", [y], [s])
    found = find_lifetimes(read_model(model.build([x, s], [y, s])))
    assert found.tensors == {(0, x): (0, 1), (0, s): (0, 2), (0, y): (1, 2)}
    n.graph.operator("RELU", [s], [y])
    assert find_lifetimes(read_model(model.build([x, s], [y]))).tensor((0, y)) == (1, 3)


def test_a_called_subgraph_is_played_inside_its_operator() -> None:
    # Main: VAR_HANDLE 1, VAR_HANDLE 2, CALL_ONCE 3; the call starts at 4 and its five
    # operators run at 5 to 9; the next operator of main is at 10.
    found = find_lifetimes(read_model(KNOWN_MODELS["called_subgraph_with_scratch"]()))
    assert found.operator((0, 2)) == (3, 9)
    assert [found.operator((1, op)) for op in range(5)] == [(t, t) for t in range(5, 10)]
    assert found.operator((0, 3)) == (10, 10)


def test_an_uncalled_subgraph_never_runs() -> None:
    found = find_lifetimes(read_model(KNOWN_MODELS["uncalled_subgraph"]()))
    assert found.operator((1, 0)) == (-1, -1)
    assert all(subgraph == 0 for subgraph, _ in found.tensors)


def nested_calls(depth: int, calls_each: int) -> bytes:
    """Subgraph n calls subgraph n + 1, `calls_each` times."""
    model = ModelBuilder()
    graphs = [model.subgraph() for _ in range(depth + 1)]
    for called, graph in enumerate(graphs[:-1], start=1):
        for _ in range(calls_each):
            graph.operator("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=called)
    return model.build([], [])


def test_calls_without_end_are_refused() -> None:
    find_lifetimes(read_model(nested_calls(MAX_CALL_DEPTH, 1)))
    with pytest.raises(ModelError, match=f"101 levels deep; expected at most {MAX_CALL_DEPTH}"):
        find_lifetimes(read_model(nested_calls(2_000, 1)))
    with pytest.raises(ModelError, match="calls add up to more than 1000000 steps"):
        find_lifetimes(read_model(nested_calls(60, 2)))
