"""Models with the structure of well-known ones, and graphs that are awkward to plan.

The shapes, types and operators are those of TFLM's examples; the weights are not (an arena does
not depend on them): hello_world, micro_speech, person_detect, mnist_lstm, keyword_scrambled, and
the first part of DTLN.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from model_builder import RESOURCE, ModelBuilder, SubgraphBuilder

Shape = Sequence[int]
SOFTMAX_OUT = {"scale": 1 / 256, "zero_point": -128}


class Layers:
    """Adds int8 layers to a subgraph, one after the other."""

    def __init__(self, graph: SubgraphBuilder) -> None:
        self.graph = graph

    def activation(self, shape: Shape, scale: float = 0.1, zero_point: int = 0) -> int:
        return self.graph.tensor(shape, np.int8, scale=scale, zero_point=zero_point)

    def weights(self, shape: Shape, channels: int = 1, axis: int = 0) -> int:
        content = np.arange(np.prod(shape)) % 5 - 2
        scales = np.full(channels, 0.01)
        return self.graph.tensor(shape, np.int8, scale=scales, axis=axis, data=content)

    def bias(self, size: int, channels: int = 1, scale: float = 0.001) -> int:
        scales = np.full(channels, scale)
        return self.graph.tensor([size], np.int32, scale=scales, data=np.zeros(size))

    def indices(self, values: Sequence[int]) -> int:
        return self.graph.tensor([len(values)], np.int32, data=values)

    def conv(self, x: int, channels: int, kernel: int, stride: int = 1) -> int:
        batch, height, width, depth = self.graph.tensors[x].shape
        filter_ = self.weights([channels, kernel, kernel, depth], channels)
        y = self.activation([batch, -(-height // stride), -(-width // stride), channels])
        self.graph.operator(
            "CONV_2D",
            [x, filter_, self.bias(channels, channels)],
            [y],
            options="Conv2DOptions",
            strideH=stride,
            strideW=stride,
            dilationHFactor=1,
            dilationWFactor=1,
        )
        return y

    def depthwise(
        self, x: int, kernel: tuple[int, int], stride: int = 1, multiplier: int = 1
    ) -> int:
        batch, height, width, depth = self.graph.tensors[x].shape
        channels = depth * multiplier
        filter_ = self.weights([1, *kernel, channels], channels, axis=3)
        y = self.activation([batch, -(-height // stride), -(-width // stride), channels])
        self.graph.operator(
            "DEPTHWISE_CONV_2D",
            [x, filter_, self.bias(channels, channels)],
            [y],
            options="DepthwiseConv2DOptions",
            strideH=stride,
            strideW=stride,
            dilationHFactor=1,
            dilationWFactor=1,
            depthMultiplier=multiplier,
        )
        return y

    def dense(self, x: int, units: int, shape: Shape | None = None) -> int:
        depth = int(np.prod(self.graph.tensors[x].shape))
        y = self.activation(shape or [1, units])
        self.graph.operator(
            "FULLY_CONNECTED",
            [x, self.weights([units, depth]), self.bias(units)],
            [y],
            options="FullyConnectedOptions",
        )
        return y

    def reshape(self, x: int, shape: Shape) -> int:
        y = self.activation(shape, scale=self.graph.tensors[x].quantization.scale[0])
        self.graph.operator(
            "RESHAPE",
            [x, self.indices([-1, *shape[1:]])],
            [y],
            options="ReshapeOptions",
            newShape=[-1, *shape[1:]],
        )
        return y

    def softmax(self, x: int) -> int:
        y = self.activation(self.graph.tensors[x].shape, **SOFTMAX_OUT)
        self.graph.operator("SOFTMAX", [x], [y], options="SoftmaxOptions", beta=1.0)
        return y

    def logistic(self, x: int) -> int:
        y = self.activation(self.graph.tensors[x].shape, **SOFTMAX_OUT)
        self.graph.operator("LOGISTIC", [x], [y])
        return y

    def lstm(self, x: int, hidden: int) -> int:
        batch, steps, depth = self.graph.tensors[x].shape
        state = self.graph.tensor([batch, hidden], np.int8, scale=1 / 128, is_variable=True)
        cell = self.graph.tensor([batch, hidden], np.int16, scale=2**-11, is_variable=True)
        y = self.activation([batch, steps, hidden], scale=1 / 128)
        gates = [self.graph.tensor([0], np.int16, scale=2**-12) for _ in range(4)]
        self.graph.operator(
            "UNIDIRECTIONAL_SEQUENCE_LSTM",
            [
                x,
                *(self.weights([hidden, depth]) for _ in range(4)),
                *(self.weights([hidden, hidden]) for _ in range(4)),
                *(-1, -1, -1),
                *(self.bias(hidden, scale=1e-4) for _ in range(4)),
                *(-1, -1, state, cell, -1, -1, -1, -1),
            ],
            [y],
            options="UnidirectionalSequenceLSTMOptions",
            intermediates=[*gates, self.graph.tensor([0], np.int8, scale=1 / 128)],
            fusedActivationFunction=4,
        )
        return y

    def svdf(self, x: int, filters: int, memory: int) -> int:
        depth = self.graph.tensors[x].shape[-1]
        time = np.arange(filters * memory) % 7 - 3
        state_shape = [1, filters * memory]
        state = self.graph.tensor(state_shape, np.int16, scale=0.01, is_variable=True)
        y = self.activation([1, filters])
        self.graph.operator(
            "SVDF",
            [
                x,
                self.weights([filters, depth]),
                self.graph.tensor([filters, memory], np.int16, scale=0.01, data=time),
                self.bias(filters, scale=1e-4),
                state,
            ],
            [y],
            options="SVDFOptions",
            rank=1,
            fusedActivationFunction=1,
        )
        return y


def _chain(build: Callable[[Layers, int], int], shape: Shape, scale: float = 0.1) -> bytes:
    """A model with one input of `shape` and one output, by `build(layers, input)`."""
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x = layers.activation(shape, scale)
    return model.build([x], [build(layers, x)])


def hello_world() -> bytes:
    return _chain(lambda n, x: n.dense(n.dense(n.dense(x, 16), 16), 1), [1, 1])


def micro_speech() -> bytes:
    def build(n: Layers, x: int) -> int:
        picture = n.reshape(x, [1, 49, 40, 1])
        return n.softmax(n.dense(n.depthwise(picture, (10, 8), stride=2, multiplier=8), 4))

    return _chain(build, [1, 1960])


def person_detect() -> bytes:
    def build(n: Layers, x: int) -> int:
        y = n.conv(x, 8, 3, 2)
        blocks = [(16, 1), (32, 2), (32, 1), (64, 2), (64, 1), (128, 2)]
        for channels, stride in [*blocks, *[(128, 1)] * 5, (256, 2), (256, 1)]:
            y = n.conv(n.depthwise(y, (3, 3), stride), channels, 1)
        pooled = n.activation([1, 1, 1, 256])
        window = {"strideH": 3, "strideW": 3, "filterHeight": 3, "filterWidth": 3, "padding": 1}
        n.graph.operator("AVERAGE_POOL_2D", [y], [pooled], options="Pool2DOptions", **window)
        return n.softmax(n.reshape(n.conv(pooled, 2, 1), [1, 2]))

    return _chain(build, [1, 96, 96, 1])


def mnist_lstm() -> bytes:
    def build(n: Layers, x: int) -> int:
        return n.softmax(n.dense(n.reshape(n.lstm(x, 20), [1, 560]), 10))

    return _chain(build, [1, 28, 28], scale=0.004)


def dtln() -> bytes:
    def build(n: Layers, x: int) -> int:
        hidden = n.lstm(n.lstm(x, 128), 128)
        return n.logistic(n.dense(hidden, 257, shape=[1, 1, 257]))

    return _chain(build, [1, 1, 257], scale=0.004)


def keyword() -> bytes:
    def build(n: Layers, x: int) -> int:
        y = x
        for _ in range(6):
            y = n.dense(n.svdf(y, 64, 8), 32)
        y = n.softmax(n.dense(y, 8))
        result = n.activation([1, 8], scale=1 / 128, zero_point=-128)
        n.graph.operator("QUANTIZE", [y], [result])
        return result

    return _chain(build, [1, 96])


def unet() -> bytes:
    """Encoder and decoder with skip connections: long lifetimes across the whole graph."""

    def build(n: Layers, x: int) -> int:
        skips, y = [], x
        for channels in (8, 16, 24):
            y = n.conv(y, channels, 3)
            skips.append(y)
            y = n.depthwise(y, (3, 3), 2)
        for skip in reversed(skips):
            batch, height, width, channels = n.graph.tensors[skip].shape
            depth = n.graph.tensors[y].shape[3]
            grown = n.activation([batch, height, width, depth])
            n.graph.operator(
                "RESIZE_NEAREST_NEIGHBOR",
                [y, n.indices([height, width])],
                [grown],
                options="ResizeNearestNeighborOptions",
            )
            total = n.activation([batch, height, width, channels])
            branch = n.conv(grown, channels, 1)
            n.graph.operator("ADD", [branch, skip], [total], options="AddOptions")
            y = total
        return n.logistic(y)

    return _chain(build, [1, 1, 64, 2])


def many_channels() -> bytes:
    """Few activations, many channels: setting up takes twice what running does."""
    return _chain(lambda n, x: n.conv(x, 1000, 1), [1, 1, 1, 4])


def unused_tensors() -> bytes:
    """TFLM plans tensors that nothing touches, too."""
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x, y = layers.activation([1, 100]), layers.activation([1, 100])
    layers.activation([1, 900])
    layers.activation([1, 700])
    layers.graph.operator("RELU", [x], [y])
    return model.build([x], [y])


def input_is_output() -> bytes:
    """An input that is handed through keeps its memory to the end."""
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x, y = layers.activation([1, 100]), layers.activation([1, 100])
    layers.graph.operator("RELU", [x], [y])
    return model.build([x], [y, x])


def written_twice() -> bytes:
    """An input that an operator writes, and a tensor with two results after each other."""
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x, state = n.activation([1, 64]), n.activation([1, 64])
    a, y = n.activation([1, 64]), n.activation([1, 64])
    n.graph.operator("RELU", [x], [y])
    n.graph.operator("ADD", [x, state], [a], options="AddOptions")
    n.graph.operator("RELU", [a], [state])
    n.graph.operator("ADD", [y, state], [a], options="AddOptions")
    n.graph.operator("TANH", [a], [y])
    return model.build([x, state], [y, state])


def uncalled_subgraph() -> bytes:
    """A second subgraph that no operator calls is allocated all the same."""
    model = ModelBuilder()
    main, other = Layers(model.subgraph()), Layers(model.subgraph())
    x = main.activation([1, 1])
    result = main.dense(main.dense(x, 16), 1)
    a, b = other.activation([1, 50]), other.activation([1, 50])
    other.graph.operator("RELU", [a], [b])
    other.graph.inputs, other.graph.outputs = [a], [b]
    return model.build([x], [result])


def called_subgraph_with_scratch() -> bytes:
    """Two variables, set by a called subgraph; both subgraphs ask for scratch memory."""
    model = ModelBuilder()
    main, init = Layers(model.subgraph()), Layers(model.subgraph())
    x, picture = main.activation([1, 12]), main.activation([1, 4, 4, 3])
    handles = [_variable(main, name) for name in ("first", "second")]
    main.graph.operator("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    results = []
    for handle in handles:
        old, total = main.activation([1, 12]), main.activation([1, 12], scale=0.2)
        main.graph.operator("READ_VARIABLE", [handle], [old])
        main.graph.operator("ADD", [old, x], [total], options="AddOptions")
        main.graph.operator("ASSIGN_VARIABLE", [handle, x], [])
        results.append(total)
    results.append(_mean(main, picture))
    for name in ("first", "second"):
        start = init.graph.tensor([1, 12], np.int8, scale=0.1, data=np.arange(12))
        init.graph.operator("ASSIGN_VARIABLE", [_variable(init, name), start], [])
    _mean(init, init.graph.tensor([1, 4, 4, 3], np.int8, scale=0.1, data=np.arange(48)))
    return model.build([x, picture], results)


def _variable(layers: Layers, name: str) -> int:
    handle = layers.graph.tensor([], RESOURCE)
    options = {"container": b"", "sharedName": name.encode()}
    layers.graph.operator("VAR_HANDLE", [], [handle], options="VarHandleOptions", **options)
    return handle


def _mean(layers: Layers, x: int) -> int:
    y = layers.activation([1, 3])
    layers.graph.operator("MEAN", [x, layers.indices([1, 2])], [y], options="ReducerOptions")
    return y


KNOWN_MODELS: dict[str, Callable[[], bytes]] = {
    build.__name__: build
    for build in (
        hello_world,
        micro_speech,
        person_detect,
        mnist_lstm,
        dtln,
        keyword,
        unet,
        many_channels,
        unused_tensors,
        input_is_output,
        written_twice,
        uncalled_subgraph,
        called_subgraph_with_scratch,
    )
}
"""Name -> function that builds the .tflite content."""
