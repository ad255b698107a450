"""Convolutions and FULLY_CONNECTED: small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_node import prepared, run, view

from firmware_ref.errors import ModelError, UnsupportedOpError
from firmware_ref.options import (
    Activation,
    Conv2DOptions,
    DepthwiseConv2DOptions,
    FullyConnectedOptions,
    Padding,
    Pool2DOptions,
    TransposeConvOptions,
    WeightsFormat,
)

VALID = Conv2DOptions(padding=Padding.VALID, stride_w=1, stride_h=1)
SAME = Conv2DOptions(padding=Padding.SAME, stride_w=1, stride_h=1)


def weights(values, shape, scale=1.0):
    return view(np.reshape(values, shape), np.int8, scale, constant=True)


def bias(values, dtype=np.int32):
    return view(values, dtype, 1.0, constant=True)


def row(values, zero_point=0, dtype=np.int8):
    """One row of one channel: (1, 1, W, 1)."""
    return view(np.reshape(values, (1, 1, -1, 1)), dtype, 1.0, zero_point)


def flat(result) -> list[int]:
    return np.ravel(result).tolist()


def test_conv_correlates_subtracts_the_zero_point_and_adds_the_bias():
    # x - z = [0, 1, 2, 3]; y = 10 a + 1 b + 5
    x = row([7, 8, 9, 10], zero_point=7)
    result = run("CONV_2D", [x, weights([10, 1], (1, 1, 2, 1)), bias([5])], row([0] * 3), VALID)
    assert flat(result) == [6, 17, 28]


def test_conv_pads_with_the_zero_point():
    x = row([7, 8, 9], zero_point=7)  # 0 1 2 between zeros
    result = run("CONV_2D", [x, weights([1, 10, 100], (1, 1, 3, 1))], row([0] * 3), SAME)
    assert flat(result) == [100, 127, 21]  # 100, 10 + 200 saturated, 1 + 20


def test_conv_strides_and_dilates():
    x = row([1, 2, 3, 4, 5, 6])
    options = Conv2DOptions(Padding.VALID, stride_w=2, stride_h=1, dilation_w_factor=3)
    result = run("CONV_2D", [x, weights([1, 10], (1, 1, 2, 1))], row([0] * 2), options)
    assert flat(result) == [41, 63]


def test_conv_of_groups_keeps_them_apart():
    x = view(np.reshape([1, 2, 3, 4], (1, 1, 1, 4)))
    w = weights([1, 10, 1, 10], (2, 1, 1, 2))
    y = view(np.zeros((1, 1, 1, 2)))
    assert flat(run("CONV_2D", [x, w], y, VALID)) == [21, 43]


def test_conv_clamps_by_the_fused_activation():
    x = row([-20, 3, 90])
    options = Conv2DOptions(Padding.VALID, 1, 1, Activation.RELU6)
    y = view(np.zeros((1, 1, 3, 1)), np.int8, 0.5, -4)  # step 0.5: 0 is -4 and 6 is 8
    assert flat(run("CONV_2D", [x, weights([1], (1, 1, 1, 1))], y, options)) == [-4, 2, 8]


def test_conv_rounds_ties_away_from_zero():
    x = row([2, -2, 6, -6])
    y = view(np.zeros((1, 1, 4, 1)), np.int8, 4.0)
    assert flat(run("CONV_2D", [x, weights([1], (1, 1, 1, 1))], y, VALID)) == [1, -1, 2, -2]


def test_conv_16x8_rounds_ties_up():
    x = row([1, -1, 3, -3], dtype=np.int16)
    y = view(np.zeros((1, 1, 4, 1)), np.int16, 2.0)
    w = weights([1], (1, 1, 1, 1))
    assert flat(run("CONV_2D", [x, w, bias([0], np.int64)], y, VALID)) == [1, 0, 2, -1]


def test_depthwise_keeps_channels_apart_and_multiplies_them():
    x = view(np.reshape([1, 2, 3, 4], (1, 1, 2, 2)))  # two columns of two channels
    w = weights([1, 2, 3, 4, 10, 20, 30, 40], (1, 1, 2, 4))
    options = DepthwiseConv2DOptions(Padding.VALID, 1, 1, depth_multiplier=2)
    y = view(np.zeros((1, 1, 1, 4)))
    # channel 0: 1 w0 + 3 w1; channel 1: 2 w0 + 4 w1, two outputs each
    assert flat(run("DEPTHWISE_CONV_2D", [x, w], y, options)) == [31, 62, 126, 127]


def test_depthwise_dilates_in_time():
    x = view(np.reshape([1, 9, 9, 9, 2], (1, 5, 1, 1)))
    w = weights([10, 1], (1, 2, 1, 1))
    options = DepthwiseConv2DOptions(Padding.VALID, 1, 1, 1, dilation_h_factor=4)
    y = view(np.zeros((1, 1, 1, 1)))
    assert flat(run("DEPTHWISE_CONV_2D", [x, w, bias([100])], y, options)) == [112]


def test_transpose_conv_spreads_every_input():
    shape = view([1, 1, 5, 1], np.int32, None, constant=True)
    x = row([1, 2])
    options = TransposeConvOptions(Padding.VALID, stride_w=2, stride_h=1)
    result = run(
        "TRANSPOSE_CONV",
        [shape, weights([1, 10, 3], (1, 1, 3, 1)), x, bias([100])],
        row([0] * 5),
        options,
    )
    assert flat(result) == [101, 110, 105, 120, 106]


def test_fully_connected_takes_rows():
    x = view([[1, 2], [3, 4]], np.int8, 1.0, 1)  # minus 1: [0, 1], [2, 3]
    w = view([[1, 10], [2, 20], [3, 30]], constant=True)
    y = view(np.zeros((2, 3)))
    result = run("FULLY_CONNECTED", [x, w, bias([5, 0, -30])], y)
    assert result == [[15, 20, 0], [37, 64, 66]]


@pytest.mark.parametrize(
    ("name", "inputs", "output", "options", "message"),
    [
        (
            "CONV_2D",
            [row([1, 2]), weights([1, 2, 3], (1, 1, 3, 1))],
            row([0]),
            VALID,
            "window of 3 over an input of 2",
        ),
        (
            "CONV_2D",
            [row([1, 2]), weights([1], (1, 1, 1, 1))],
            row([0]),
            Conv2DOptions(Padding.VALID),
            "has stride 0",
        ),
        (
            "CONV_2D",
            [row([1, 2]), weights([1], (1, 1, 1, 1))],
            row([0]),
            VALID,
            r"output of shape \(1, 1, 1, 1\), expected \(1, 1, 2, 1\)",
        ),
        (
            "CONV_2D",
            [row([1]), view(np.ones((1, 1, 1, 1)))],
            row([0]),
            VALID,
            "input 1 .* has to be a constant",
        ),
        (
            "FULLY_CONNECTED",
            [view([[1]]), view([[1]], constant=True)],
            view([[0]]),
            FullyConnectedOptions(weights_format=WeightsFormat.SHUFFLED4x16INT8),
            "shuffled weights",
        ),
        (
            "FULLY_CONNECTED",
            [view([[1]]), view([[1]], constant=True)],
            view([[0]]),
            VALID,
            "options of type Conv2DOptions, expected FullyConnectedOptions",
        ),
    ],
)
def test_contradictions_are_named(name, inputs, output, options, message):
    with pytest.raises(ModelError, match=rf"operator 3 \({name}\).*{message}"):
        prepared(name, inputs, [output], options)


def test_foreign_types_are_named():
    with pytest.raises(UnsupportedOpError, match="`int32, int8 -> int8`"):
        prepared("CONV_2D", [row([1], dtype=np.int32), weights([1], (1, 1, 1, 1))], [row([0])])


@pytest.mark.parametrize("name", ["CONV_2D", "MAX_POOL_2D"])
def test_windows_beyond_any_memory_are_refused(name):
    x, y = row([1, 2, 3]), row([0] * 3)
    if name == "CONV_2D":
        inputs = [x, weights([1, 1, 1], (1, 1, 3, 1))]
        options = Conv2DOptions(Padding.SAME, 1, 1, dilation_w_factor=2**30)
    else:
        inputs = [x]
        options = Pool2DOptions(Padding.SAME, 1, 1, filter_width=2**30, filter_height=1)
    with pytest.raises(ModelError, match="does not fit its tensors: its padded input would have"):
        run(name, inputs, y, options)
