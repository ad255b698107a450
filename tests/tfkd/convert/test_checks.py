"""A graph that TFLite Micro cannot run is refused by name."""

from dataclasses import replace

import pytest
from gate_model import gate_model

from firmware_ref.model import TensorType
from firmware_ref.reader import read_model
from tfkd.convert.checks import check_fully_int8
from tfkd.errors import ConversionError


@pytest.fixture
def model():
    return read_model(gate_model())


def change(model, **fields):
    """The model with the first tensor of its graph changed."""
    graph = model.subgraphs[0]
    tensors = (replace(graph.tensors[0], **fields), *graph.tensors[1:])
    return replace(model, subgraphs=(replace(graph, tensors=tensors),))


def test_float_tensor_is_named(model):
    with pytest.raises(ConversionError, match="tensor 0 .* has type FLOAT32; expected INT8"):
        check_fully_int8(change(model, type=TensorType.FLOAT32))


def test_dynamic_shape_is_named(model):
    with pytest.raises(ConversionError, match=r"tensor 0 .* dynamic shape \(1, -1, 4, 1\)"):
        check_fully_int8(change(model, shape=(1, -1, 4, 1)))


def test_foreign_operator_is_named(model):
    graph = model.subgraphs[0]
    operators = (replace(graph.operators[0], name="GRU"), *graph.operators[1:])
    changed = replace(model, subgraphs=(replace(graph, operators=operators),))
    with pytest.raises(ConversionError, match="operator 0 is GRU; expected one of ADD"):
        check_fully_int8(changed)
