"""MACs against published figures and hand counts."""

import numpy as np
import pytest
from known_models import KNOWN_MODELS
from one_op_models import ONE_OP_MODELS

from firmware_ref.macs import model_macs, operator_macs
from firmware_ref.reader import read_model

# What TFLM's example models are said to compute.
PUBLISHED = {"micro_speech": 336_000, "mnist_lstm": 113_120, "dtln": 361_088}


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_example_models(name: str) -> None:
    assert model_macs(read_model(KNOWN_MODELS[name]())) == PUBLISHED[name]


def test_hello_world_by_hand() -> None:
    assert model_macs(read_model(KNOWN_MODELS["hello_world"]())) == 16 + 16 * 16 + 16


def test_a_transposed_convolution_by_hand() -> None:
    model = read_model(ONE_OP_MODELS["TRANSPOSE_CONV"](np.random.default_rng(0)).content)
    op = next(o for o in model.subgraphs[0].operators if o.name == "TRANSPOSE_CONV")
    tensors = model.subgraphs[0].tensors
    results, kernel_h, kernel_w, depth = tensors[op.inputs[1]].shape
    batch, height, width, channels = tensors[op.inputs[2]].shape
    assert channels == depth
    by_hand = batch * height * width * depth * kernel_h * kernel_w * results
    assert operator_macs(op, model.subgraphs[0]) == by_hand > 0


@pytest.mark.parametrize("name", sorted(ONE_OP_MODELS))
def test_only_products_count(name: str) -> None:
    model = read_model(ONE_OP_MODELS[name](np.random.default_rng(1)).content)
    multiplies = {
        "CONV_2D",
        "DEPTHWISE_CONV_2D",
        "TRANSPOSE_CONV",
        "FULLY_CONNECTED",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "SVDF",
    }
    names = {op.name for op in model.subgraphs[0].operators}
    assert (model_macs(model) > 0) == bool(names & multiplies)
