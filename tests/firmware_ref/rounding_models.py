"""One-operator models at the edges of the export's rounding: large factors, equal scales."""

from __future__ import annotations

import numpy as np
from model_builder import ModelBuilder

FACTORS = (0.3, 0.6, 0.5, 1.5, 0.02, 0.499, 0.75, 3.1, 0.001, 2.0**-20, 0.03)
"""Of an accumulator on its way to an output; TFLM shifts left from 1/2 on."""
SCALES = (0.05, 0.025, 0.0499, 0.0001, 0.1, 3.0, 0.035, 0.063)
"""Of what is added to values of scale 0.05; for the last two one rounding does not do."""


def convolution() -> bytes:
    """A 1 x 1 CONV_2D of 7 channels to one per factor, on 1 x 3 pixels."""
    rng = np.random.default_rng(1)
    model = ModelBuilder()
    graph = model.subgraph()
    count = len(FACTORS)
    x = graph.tensor((1, 1, 3, 7), np.int8, scale=1.0, zero_point=-3)
    y = graph.tensor((1, 1, 3, count), np.int8, scale=1.0, zero_point=5)
    data = np.where(rng.random((count, 1, 1, 7)) < 0.3, rng.integers(-1, 2, (count, 1, 1, 7)), 0)
    weights = graph.tensor(data.shape, np.int8, scale=FACTORS, axis=0, data=data)
    values = rng.integers(-30, 30, count)
    bias = graph.tensor((count,), np.int32, scale=FACTORS, data=values)
    graph.operator(
        "CONV_2D", [x, weights, bias], [y], options="Conv2DOptions", strideH=1, strideW=1,
        dilationHFactor=1, dilationWFactor=1,
    )  # fmt: skip
    return model.build([x], [y])


def rectified() -> bytes:
    """A CONV_2D and a DEPTHWISE_CONV_2D, each of 8 channels and followed by ReLU."""
    rng = np.random.default_rng(3)
    model = ModelBuilder()
    graph = model.subgraph()
    factors = FACTORS[:8]
    x = graph.tensor((1, 1, 3, 7), np.int8, scale=1.0, zero_point=-3)
    last = x
    for kind, shape, axis in [("CONV_2D", (8, 1, 1, 7), 0), ("DEPTHWISE_CONV_2D", (1, 1, 3, 8), 3)]:
        data = np.where(rng.random(shape) < 0.5, rng.integers(-1, 3, shape), 0)
        weights = graph.tensor(shape, np.int8, scale=factors, axis=axis, data=data)
        bias = graph.tensor((8,), np.int32, scale=factors, data=rng.integers(0, 60, 8))
        y = graph.tensor((1, 1, 3, 8), np.int8, scale=1.0, zero_point=-128)
        depthwise = {"depthMultiplier": 1} if kind == "DEPTHWISE_CONV_2D" else {}
        options = "DepthwiseConv2DOptions" if depthwise else "Conv2DOptions"
        graph.operator(
            kind, [last, weights, bias], [y], options=options, strideH=1, strideW=1,
            dilationHFactor=1, dilationWFactor=1, fusedActivationFunction=1, **depthwise,
        )  # fmt: skip
        last, factors = y, factors[::-1]
    return model.build([x], [last])


def additions() -> bytes:
    """A frame of 11 values plus constants of each of SCALES, the results one below the other."""
    rng = np.random.default_rng(2)
    model = ModelBuilder()
    graph = model.subgraph()
    shape = (1, 1, 1, 11)
    x = graph.tensor(shape, np.int8, scale=0.05, zero_point=-20)
    sums = []
    for number, scale in enumerate(SCALES):
        data = rng.integers(-128, 128, shape)
        constant = graph.tensor(shape, np.int8, scale=scale, zero_point=90, data=data)
        sums.append(graph.tensor(shape, np.int8, scale=0.07, zero_point=11))
        terms = [x, constant] if number % 2 else [constant, x]
        graph.operator("ADD", terms, [sums[-1]], options="AddOptions")
    y = graph.tensor((1, len(sums), 1, 11), np.int8, scale=0.07, zero_point=11)
    graph.operator("CONCATENATION", sums, [y], options="ConcatenationOptions", axis=1)
    return model.build([x], [y])
