"""A small student with every construct that the released ones have, built without TensorFlow.

Encoder with strides, a convolution over time on two scales, a decoder with skip connections;
histories as states, and one state that is computed (a running sum).
"""

from __future__ import annotations

import numpy as np
from model_builder import ModelBuilder, SubgraphBuilder

SAME, VALID, RELU6 = 0, 1, 3


class _Layers:
    def __init__(self, graph: SubgraphBuilder, rng: np.random.Generator) -> None:
        self.graph, self.rng = graph, rng

    def activation(self, shape: tuple[int, ...], scale: float = 0.05, zero_point: int = -7) -> int:
        return self.graph.tensor(shape, np.int8, scale=scale, zero_point=zero_point)

    def like(self, x: int, shape: tuple[int, ...]) -> int:
        quantization = self.graph.tensors[x].quantization
        return self.activation(shape, quantization.scale[0], quantization.zeroPoint[0])

    def integers(self, values: object) -> int:
        data = np.asarray(values, np.int32)
        return self.graph.tensor(data.shape, np.int32, data=data)

    def shape(self, x: int) -> tuple[int, ...]:
        return tuple(self.graph.tensors[x].shape)

    def convolution(
        self,
        x: int,
        filters: tuple[int, ...],
        shape: tuple[int, ...],
        *,
        stride: int = 1,
        dilation: int = 1,
        padding: int = VALID,
        activation: int = 0,
        depthwise: bool = False,
        scale: float = 0.05,
    ) -> int:
        channels, axis = (filters[3], 3) if depthwise else (filters[0], 0)
        scales = self.rng.uniform(0.001, 0.004, channels)
        data = self.rng.integers(-127, 128, filters)
        weights = self.graph.tensor(filters, np.int8, scale=scales, axis=axis, data=data)
        values = self.rng.integers(-2000, 2000, channels)
        bias = self.graph.tensor((channels,), np.int32, scale=scales * 0.05, data=values)
        y = self.activation(shape, scale)
        extra = {"depthMultiplier": 1} if depthwise else {}
        self.graph.operator(
            "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D",
            [x, weights, bias],
            [y],
            options="DepthwiseConv2DOptions" if depthwise else "Conv2DOptions",
            padding=padding,
            strideH=1,
            strideW=stride,
            dilationHFactor=dilation,
            dilationWFactor=1,
            fusedActivationFunction=activation,
            **extra,
        )
        return y

    def add(self, first: int, second: int, y: int | None = None) -> int:
        y = self.activation(self.shape(first), 0.07, 11) if y is None else y
        self.graph.operator("ADD", [first, second], [y], options="AddOptions")
        return y

    def move(self, name: str, x: int, values: object, shape: tuple[int, ...]) -> int:
        y = self.like(x, shape)
        self.graph.operator(name, [x, self.integers(values)], [y])
        return y

    def window(self, state: int, x: int) -> tuple[int, int]:
        """The history with the current frame, and the history for the next frame."""
        _, past, width, channels = self.shape(state)
        window = self.like(state, (1, past + 1, width, channels))
        self.graph.operator(
            "CONCATENATION", [state, x], [window], options="ConcatenationOptions", axis=1
        )
        bounds = [[0, 1, 0, 0], [1, past + 1, width, channels], [1, 1, 1, 1]]
        new_state = self.like(state, (1, past, width, channels))
        inputs = [window, *(self.integers(values) for values in bounds)]
        self.graph.operator(
            "STRIDED_SLICE", inputs, [new_state], options="StridedSliceOptions", beginMask=13
        )
        return window, new_state


def streaming_student(seed: int = 0) -> bytes:
    """frame [1, 1, 16, 1] and 3 states to mask [1, 1, 16, 1] and the new states."""
    rng = np.random.default_rng(seed)
    model = ModelBuilder()
    layers = _Layers(model.subgraph(), rng)
    frame = layers.activation((1, 1, 16, 1), 0.008, 3)
    near = layers.activation((1, 2, 8, 4))
    far = layers.activation((1, 4, 1, 12))
    total = layers.activation((1, 1, 1, 12), 0.2, 5)

    x = layers.move("PAD", frame, [[0, 0], [0, 0], [1, 1], [0, 0]], (1, 1, 18, 1))
    x = layers.convolution(x, (4, 1, 4, 1), (1, 1, 8, 4), stride=2, activation=RELU6)
    window, new_near = layers.window(near, x)
    padded = layers.move("PAD", window, [[0, 0], [0, 0], [1, 1], [0, 0]], (1, 3, 10, 4))
    y = layers.convolution(padded, (1, 3, 3, 4), (1, 1, 8, 4), depthwise=True, activation=RELU6)
    skip = x = layers.add(x, layers.convolution(y, (4, 1, 1, 4), (1, 1, 8, 4)))

    x = layers.convolution(x, (8, 1, 3, 4), (1, 1, 4, 8), stride=2, padding=SAME)
    x = layers.move("RESHAPE", x, [1, 1, 1, 32], (1, 1, 1, 32))
    x = layers.convolution(x, (12, 1, 1, 32), (1, 1, 1, 12))
    window, new_far = layers.window(far, x)
    y = layers.convolution(window, (1, 3, 1, 12), (1, 1, 1, 12), depthwise=True, dilation=2)
    x = layers.add(x, layers.convolution(y, (12, 1, 1, 12), (1, 1, 1, 12)))
    new_total = layers.add(total, x, layers.like(total, (1, 1, 1, 12)))

    x = layers.convolution(new_total, (32, 1, 1, 12), (1, 1, 1, 32))
    x = layers.move("RESHAPE", x, [1, 1, 4, 8], (1, 1, 4, 8))
    resized = layers.like(x, (1, 1, 8, 8))
    layers.graph.operator(
        "RESIZE_NEAREST_NEIGHBOR",
        [x, layers.integers([1, 8])],
        [resized],
        options="ResizeNearestNeighborOptions",
        halfPixelCenters=True,
    )
    x = layers.convolution(resized, (4, 1, 1, 8), (1, 1, 8, 4))
    x = layers.convolution(
        layers.add(x, skip), (2, 1, 3, 4), (1, 1, 8, 2), padding=SAME, scale=0.04
    )
    mask = layers.activation((1, 1, 8, 2), 1 / 256, -128)
    layers.graph.operator("LOGISTIC", [x], [mask])
    mask = layers.move("RESHAPE", mask, [1, 1, 16, 1], (1, 1, 16, 1))
    return model.build([frame, near, far, total], [mask, new_near, new_far, new_total])
