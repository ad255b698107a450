"""Random graphs with states: every way in which tensors of exported C share memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from known_models import Layers
from model_builder import ModelBuilder

MAX_ELEMENTS = 2000

Grow = Callable[[Layers, int, np.random.Generator], int]


def _convolve(n: Layers, x: int, rng: np.random.Generator) -> int:
    return n.conv(x, int(rng.integers(1, 20)), int(rng.choice([1, 3])), int(rng.choice([1, 2])))


def _convolve_depthwise(n: Layers, x: int, rng: np.random.Generator) -> int:
    return n.depthwise(x, (3, 3), 1, int(rng.choice([1, 2])))


def _add(n: Layers, x: int, rng: np.random.Generator) -> int:
    inputs = [x, _like(n, x, rng)]
    y = n.activation(n.graph.tensors[x].shape)
    n.graph.operator("ADD", inputs, [y], options="AddOptions")
    return y


def _concatenate(n: Layers, x: int, rng: np.random.Generator) -> int:
    shape, axis = [*n.graph.tensors[x].shape], int(rng.choice([1, 1, 3]))
    shape[axis] *= 2
    inputs = [x, _like(n, x, rng)]
    y = n.activation(shape)
    n.graph.operator("CONCATENATION", inputs, [y], options="ConcatenationOptions", axis=axis)
    return y


def _reshape(n: Layers, x: int, rng: np.random.Generator) -> int:
    _, height, width, depth = n.graph.tensors[x].shape
    y = n.activation([1, width, height, depth])
    n.graph.operator("RESHAPE", [x, n.indices([1, width, height, depth])], [y])
    return y


def _slice(n: Layers, x: int, rng: np.random.Generator) -> int:
    _, height, width, depth = n.graph.tensors[x].shape
    first = int(rng.integers(0, height))
    y = n.activation([1, height - first, width, depth])
    bounds = ([0, first, 0, 0], [1, height, width, depth], [1, 1, 1, 1])
    inputs = [x, *(n.indices(values) for values in bounds)]
    n.graph.operator("STRIDED_SLICE", inputs, [y], options="StridedSliceOptions")
    return y


def _pad(n: Layers, x: int, rng: np.random.Generator) -> int:
    _, height, width, depth = n.graph.tensors[x].shape
    y = n.activation([1, height + 1, width + 2, depth])
    amounts = n.graph.tensor([4, 2], np.int32, data=[[0, 0], [1, 0], [1, 1], [0, 0]])
    n.graph.operator("PAD", [x, amounts], [y])
    return y


def _like(n: Layers, x: int, rng: np.random.Generator) -> int:
    """A tensor of the same shape, perhaps x itself, or one that nothing else reads again."""
    shape = list(n.graph.tensors[x].shape)
    same = [i for i, t in enumerate(n.graph.tensors) if list(t.shape) == shape and not t.buffer]
    return int(rng.choice(same))


GROWERS: tuple[Grow, ...] = (
    _add, _add, _convolve, _convolve_depthwise, _concatenate, _concatenate, _reshape, _slice,
    _slice, _pad,
)  # fmt: skip


def _draw(seed: int) -> bytes | None:
    """A model whose outputs follow its inputs in shape, so that they can be states."""
    rng = np.random.default_rng(seed)
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    inputs = [
        layers.activation([1, *(int(v) for v in rng.integers(1, 6, 3))])
        for _ in range(1 + int(rng.integers(3)))
    ]
    ends = list(inputs)
    for _ in range(int(rng.integers(2, 14))):
        x = int(rng.choice(ends[-4:]))
        if np.prod(layers.graph.tensors[x].shape) <= MAX_ELEMENTS:
            ends.append(GROWERS[int(rng.integers(len(GROWERS)))](layers, x, rng))
    outputs: list[int] = []
    for position, index in enumerate(inputs):
        shape = list(layers.graph.tensors[index].shape)
        fitting = [
            end
            for end in ends
            if end not in outputs
            and (position == 0 or list(layers.graph.tensors[end].shape) == shape)
        ]
        if not fitting:
            return None
        outputs.append(int(fitting[-1] if rng.integers(2) else rng.choice(fitting)))
    return model.build(inputs, outputs)


def random_stream(seed: int) -> bytes:
    """A .tflite model drawn by `seed`."""
    draws = (_draw(1000 * seed + attempt) for attempt in range(100))
    return next(content for content in draws if content is not None)
