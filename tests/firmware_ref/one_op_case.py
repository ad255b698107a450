"""A model with inputs to run it on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from draws import Array, Rng, values
from model_builder import ModelBuilder, SubgraphBuilder


@dataclass(frozen=True, eq=False)
class Case:
    """A model and the inputs of consecutive frames.

    `arena_bytes` is for TFLM; None: enough.
    """

    content: bytes
    frames: tuple[tuple[Array, ...], ...]
    arena_bytes: int | None = None


Draw = Callable[[Rng], Case]


def one_op_graph() -> tuple[ModelBuilder, SubgraphBuilder]:
    """An empty model and its main subgraph."""
    model = ModelBuilder()
    return model, model.subgraph()


def case(
    model: ModelBuilder, rng: Rng, inputs: list[int], outputs: list[int], frames: int = 1
) -> Case:
    """Serialise, and draw the frames' inputs by the shapes and types of the input tensors."""
    from model_builder import schema

    names = {v: k.lower() for k, v in vars(schema().TensorType).items() if k.isupper()}
    tensors = [model.subgraphs[0].tensors[i] for i in inputs]
    drawn = tuple(
        tuple(values(rng, tuple(tensor.shape), names[tensor.type]) for tensor in tensors)
        for _ in range(frames)
    )
    return Case(model.build(inputs, outputs), drawn)
