"""Prove a .tflite that tfkd did not make: the same random inputs through every engine.

Nothing is known of such a model but its graph. State that it keeps in variables, as LSTM, SVDF and
resource variables do, is carried along by each engine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from firmware_ref.model import Model, Tensor
from firmware_ref.reader import read_model
from tfkd.engines.tensor_trace import TRACES, Array
from tfkd.errors import ModelError
from tfkd.verify import ORACLE, EngineComparison, compare_streams


@dataclass(frozen=True)
class ForeignModel:
    """The bytes of a .tflite."""

    content: bytes


def compare_foreign(
    path: Path,
    engines: Sequence[str],
    invocations: int,
    seed: int,
    advance: Callable[[float], None] = lambda invocations: None,
) -> list[EngineComparison]:
    """Run engines beside TFLite Micro on random inputs and compare every tensor.

    Args:
        path: the .tflite.
        engines: names from `tensor_trace.TRACES`.
        invocations: how often the model runs.
        seed: of the inputs.
        advance: is told the number of invocations done since its last call.

    Raises:
        MissingPackageError: the TFLite Micro wheel is not installed.
        ModelError: TFLite Micro refuses the model.
        firmware_ref.errors.FirmwareRefError: firmware_ref does.
    """
    model = ForeignModel(path.read_bytes())
    graph = read_model(model.content)
    streams = {name: TRACES[name](model) for name in (*engines, ORACLE)}
    return compare_streams(graph, streams, random_inputs(graph, invocations, seed), advance)


def random_inputs(model: Model, invocations: int, seed: int) -> Iterator[list[Array]]:
    """Inputs for one invocation after the other: uniform over a span that breathes, so that small
    values and saturation both come.

    Raises:
        ModelError: an input has a type that no random value is drawn for.
    """
    graph = model.subgraphs[0]
    tensors = [graph.tensors[index] for index in graph.inputs]
    rng = np.random.default_rng(seed)
    for invocation in range(invocations):
        span = 2.0 ** (-8 * (1 - np.cos(0.2 * invocation)) / 2)  # 1 to 2^-8 of the range
        yield [_draw(tensor, span, rng) for tensor in tensors]


def _draw(tensor: Tensor, span: float, rng: np.random.Generator) -> Array:
    kind = tensor.dtype
    if kind == np.float32:
        return (4.0 * span * rng.standard_normal(tensor.shape)).astype(np.float32)
    if kind == np.bool_:
        return rng.integers(0, 2, tensor.shape).astype(np.bool_)
    if not np.issubdtype(kind, np.integer):
        raise ModelError(
            f"input {tensor.name or tensor.index} has type {tensor.type}; expected an integer, "
            f"bool or float32."
        )
    limits = np.iinfo(kind)
    low, high = span * limits.min, span * limits.max
    drawn = np.rint(rng.uniform(low, high, tensor.shape)) + tensor.zero_point
    return np.clip(drawn, limits.min, limits.max).astype(kind)
