"""Random int8 graphs of several operators, with branches, skips, several inputs and outputs."""

from __future__ import annotations

import numpy as np
from known_models import Layers
from model_builder import ModelBuilder

MAX_OPERATORS = 14


def _relu(n: Layers, x: int, rng: np.random.Generator) -> int:
    y = n.activation(n.graph.tensors[x].shape)
    n.graph.operator("RELU", [x], [y])
    return y


def _add(n: Layers, x: int, rng: np.random.Generator) -> int:
    shape = n.graph.tensors[x].shape
    # The second summand may be the first, or something that nothing else would read again.
    same = [i for i, t in enumerate(n.graph.tensors) if t.shape == shape and not t.buffer]
    y = n.activation(shape)
    n.graph.operator("ADD", [x, int(rng.choice(same))], [y], options="AddOptions")
    return y


def _conv(n: Layers, x: int, rng: np.random.Generator) -> int:
    return n.conv(x, int(rng.integers(1, 20)), int(rng.choice([1, 3])), int(rng.choice([1, 2])))


def _depthwise(n: Layers, x: int, rng: np.random.Generator) -> int:
    return n.depthwise(x, (3, 3), 1, int(rng.choice([1, 2])))


def _transpose_conv(n: Layers, x: int, rng: np.random.Generator) -> int:
    batch, height, width, depth = n.graph.tensors[x].shape
    channels = int(rng.integers(1, 6))
    shape = [batch, 2 * height, 2 * width, channels]
    y = n.activation(shape)
    n.graph.operator(
        "TRANSPOSE_CONV",
        [n.indices(shape), n.weights([channels, 2, 2, depth], channels), x],
        [y],
        options="TransposeConvOptions",
        strideH=2,
        strideW=2,
    )
    return y


def _mean_and_back(n: Layers, x: int, rng: np.random.Generator) -> int:
    channels = n.graph.tensors[x].shape[3]
    mean = n.activation([1, 1, 1, channels])
    keep = {"options": "ReducerOptions", "keepDims": True}
    n.graph.operator("MEAN", [x, n.indices([1, 2])], [mean], **keep)
    return mean


def _concatenate(n: Layers, x: int, rng: np.random.Generator) -> int:
    batch, height, width, channels = n.graph.tensors[x].shape
    other = _relu(n, x, rng)
    y = n.activation([batch, height, width, 2 * channels])
    n.graph.operator("CONCATENATION", [x, other], [y], options="ConcatenationOptions", axis=3)
    return y


GROWERS = (_relu, _add, _conv, _depthwise, _transpose_conv, _mean_and_back, _concatenate)
MAX_ELEMENTS = 8192


def random_graph(seed: int) -> bytes:
    """A .tflite model drawn by `seed`."""
    rng = np.random.default_rng(seed)
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    inputs = [
        layers.activation([1, *(int(v) for v in rng.integers(1, 9, 3))])
        for _ in range(int(rng.integers(1, 4)))
    ]
    ends = list(inputs)
    for _ in range(int(rng.integers(1, MAX_OPERATORS))):
        x = int(rng.choice(ends))
        if np.prod(layers.graph.tensors[x].shape) > MAX_ELEMENTS:
            continue
        grow = GROWERS[int(rng.integers(len(GROWERS)))]
        ends.append(grow(layers, x, rng))
    outputs = rng.choice(ends, size=min(len(ends), int(rng.integers(1, 4))), replace=False)
    return model.build(inputs, [int(i) for i in outputs])
