"""Which bias a filter takes: TFLM reads the bytes of any other type as if they were these."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_node import run, view

from firmware_ref.errors import ModelError
from firmware_ref.options import (
    Activation,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Options,
    Padding,
)

OPTIONS: dict[str, Options] = {
    "CONV_2D": Conv2DOptions(Padding.VALID, 1, 1),
    "DEPTHWISE_CONV_2D": DepthwiseConv2DOptions(Padding.VALID, 1, 1, 1),
    "FULLY_CONNECTED": FullyConnectedOptions(),
}


def one_weight(name: str, activation_type: type, bias_type: type) -> int:
    """2 * 3 + 4 by each operator."""
    shape = (1, 1) if name == "FULLY_CONNECTED" else (1, 1, 1, 1)
    x = view(np.full(shape, 2), activation_type)
    weights = view(np.full(shape, 3), np.int8, constant=True)
    bias = view([4], bias_type, constant=True)
    out = view(np.zeros(shape), activation_type)
    run(name, [x, weights, bias], out, OPTIONS[name])
    return out.array.item()


@pytest.mark.parametrize(
    ("name", "activation_type", "bias_type"),
    [
        ("CONV_2D", np.int8, np.int32),
        ("CONV_2D", np.int16, np.int32),
        ("CONV_2D", np.int16, np.int64),
        ("DEPTHWISE_CONV_2D", np.int8, np.int32),
        ("DEPTHWISE_CONV_2D", np.int16, np.int64),
        ("FULLY_CONNECTED", np.int8, np.int32),
        ("FULLY_CONNECTED", np.int16, np.int32),
        ("FULLY_CONNECTED", np.int16, np.int64),
    ],
)
def test_these_biases_are_taken(name, activation_type, bias_type) -> None:
    assert one_weight(name, activation_type, bias_type) == 10


@pytest.mark.parametrize(
    ("name", "activation_type", "bias_type", "expected"),
    [
        ("CONV_2D", np.int8, np.int64, "int32"),
        ("CONV_2D", np.int16, np.int16, "int32 or int64"),
        ("DEPTHWISE_CONV_2D", np.int16, np.int32, "int64"),
        ("FULLY_CONNECTED", np.int8, np.int16, "int32"),
    ],
)
def test_other_biases_are_refused(name, activation_type, bias_type, expected) -> None:
    received = np.dtype(bias_type).name
    with pytest.raises(ModelError, match=f"type {received}, expected 1 values of type {expected}"):
        one_weight(name, activation_type, bias_type)


def test_activations_that_integers_do_not_have_are_refused() -> None:
    x, weights = view([[2]]), view([[3]], constant=True)
    with pytest.raises(ModelError, match="fuses the activation TANH"):
        run("FULLY_CONNECTED", [x, weights], view([[0]]), FullyConnectedOptions(Activation.TANH))


def test_too_fine_an_output_scale_for_the_activation_is_refused() -> None:
    x, weights = view([[2]]), view([[3]], constant=True)
    y, options = view([[0]], scale=2.0**-30), FullyConnectedOptions(Activation.RELU6)
    with pytest.raises(ModelError, match="too fine for the bound 6 of its activation"):
        run("FULLY_CONNECTED", [x, weights], y, options)
