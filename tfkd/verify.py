"""Prove a streaming model: every engine computes the same bits, in every tensor and frame.

The exported C code keeps its tensors to itself, so of it every mask is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.bit_patterns import first_difference
from firmware_ref.model import Model
from firmware_ref.reader import read_model
from tfkd.config import FrontEndConfig
from tfkd.engines.choice import int8_engine
from tfkd.engines.streaming_model import StreamingModel
from tfkd.engines.tensor_trace import TRACES, Array, streamed
from tfkd.errors import VerificationError
from tfkd.frontend import band_features, stft

Floats = NDArray[np.float32]

ORACLE = "tflm"  # what the microcontroller runs
EXPORTED = "c"  # what runs there without an interpreter
# TFLite rounds these once where TFLite Micro rounds twice, so one LSB may differ.
SINGLE_ROUNDED_IN_TFLITE = frozenset({"FULLY_CONNECTED", "UNIDIRECTIONAL_SEQUENCE_LSTM"})


Stream = Callable[[Any], Mapping[int, Array]]
"""The next frame -> the tensors that an engine shows, by index; it keeps the state."""


@dataclass(frozen=True)
class Difference:
    """The first value in which an engine departs from the oracle."""

    engine: str
    frame: int
    tensor_index: int
    tensor_name: str
    operator: str
    element: tuple[int, ...]
    expected: float
    received: float

    def __str__(self) -> str:
        return (
            f"{self.engine} differs from {ORACLE} first in frame {self.frame}, tensor "
            f"{self.tensor_index} ({self.tensor_name or 'unnamed'}, written by {self.operator}), "
            f"element {list(self.element)}: expected {self.expected}, received {self.received}."
        )


@dataclass(frozen=True)
class EngineComparison:
    """How far one engine was compared with the oracle.

    `excused` names operators in which the engine may differ; there a difference is no failure.
    """

    engine: str
    frames: int
    values: int
    difference: Difference | None
    excused: tuple[str, ...]

    @property
    def equal(self) -> bool:
        return self.difference is None

    @property
    def passed(self) -> bool:
        return self.difference is None or self.difference.operator in self.excused


def compare_engines(
    model: StreamingModel,
    engines: Sequence[str],
    features: Floats,
    advance: Callable[[float], None] = lambda frames: None,
) -> list[EngineComparison]:
    """Run engines beside TFLite Micro over consecutive frames, each with its own state.

    Args:
        model: what to prove.
        engines: names from `tensor_trace.TRACES`, or "c".
        features: [frames, bands] in [-1, 1].
        advance: is told the number of frames done since its last call.

    Raises:
        MissingPackageError: the TFLite Micro wheel is not installed, or there is no C compiler.
    """
    graph = read_model(model.content)
    streams = {name: _stream(name, model, graph) for name in (*engines, ORACLE)}
    return compare_streams(graph, streams, model.frame.quantize(features), advance)


def compare_streams(
    graph: Model,
    streams: Mapping[str, Stream],
    frames: Iterable[Any],
    advance: Callable[[float], None],
) -> list[EngineComparison]:
    """Hand the same frames to every engine and compare what each shows with the oracle.

    Args:
        graph: the model, for names.
        streams: engine -> its stream, the oracle's among them.
        frames: what a stream takes, one after the other.
        advance: is told the number of frames done since its last call.
    """
    oracle, engines = streams[ORACLE], [name for name in streams if name != ORACLE]
    differences: dict[str, Difference] = {}
    values = dict.fromkeys(engines, 0)
    counts = dict.fromkeys(engines, 0)
    for index, frame in enumerate(frames):
        truth = oracle(frame)
        for name in engines:
            if name in differences:
                continue
            received = streams[name](frame)
            difference = _first_difference(graph, name, index, truth, received)
            if difference:
                differences[name] = difference
                continue
            counts[name] += 1
            values[name] += sum(tensor.size for tensor in received.values())
        advance(1)
    return [
        EngineComparison(
            name, counts[name], values[name], differences.get(name), _excused(name, graph)
        )
        for name in engines
    ]


def check(comparisons: Sequence[EngineComparison]) -> None:
    """Raise VerificationError with the first difference of every engine that must agree."""
    failures = [str(c.difference) for c in comparisons if not c.passed]
    if failures:
        raise VerificationError("\n".join(failures))


def _stream(engine: str, model: StreamingModel, graph: Model) -> Stream:
    if engine == EXPORTED:
        return _exported_stream(model, graph.subgraphs[0].outputs[0])
    return streamed(TRACES[engine](model), model)


def _exported_stream(model: StreamingModel, mask: int) -> Stream:
    exported = int8_engine(EXPORTED, model)
    return lambda frame_q: {mask: exported.run_q(frame_q[np.newaxis]).reshape(1, 1, -1, 1)}


def _first_difference(
    graph: Model,
    engine: str,
    frame: int,
    expected: Mapping[int, Array],
    received: Mapping[int, Array],
) -> Difference | None:
    for operator in graph.subgraphs[0].operators:
        for index in operator.outputs:
            if index not in received:
                continue
            element = first_difference(expected[index], received[index])
            if element is None:
                continue
            return Difference(
                engine,
                frame,
                index,
                graph.subgraphs[0].tensors[index].name,
                operator.name,
                element,
                expected[index][element].item(),
                received[index][element].item(),
            )
    return None


def _excused(engine: str, graph: Model) -> tuple[str, ...]:
    if engine != "tflite":
        return ()
    names = {operator.name for operator in graph.subgraphs[0].operators}
    return tuple(sorted(names & SINGLE_ROUNDED_IN_TFLITE))


def speech_like_features(frontend: FrontEndConfig, frames: int, seed: int) -> Floats:
    """Features [frames, bands] of `speech_like_signal`."""
    signal = speech_like_signal(frontend, frames * frontend.hop, seed)
    return band_features(stft(signal, frontend)[:frames], frontend)


def speech_like_signal(frontend: FrontEndConfig, samples: int, seed: int) -> Floats:
    """A voice-like signal in noise [samples], from silence to full scale.

    Harmonics of a wandering pitch under a spectral slope, switched at a syllable's pace, plus
    noise; the level climbs through 80 dB, so that every part of the int8 range is met.
    """
    rng = np.random.default_rng(seed)
    rate = frontend.sample_rate
    seconds = np.arange(samples) / rate
    pitch_hz = 140.0 + 60.0 * np.sin(2.0 * np.pi * 0.37 * seconds + rng.uniform(0, 6.3))
    phase = 2.0 * np.pi * np.cumsum(pitch_hz) / rate
    voice = sum(np.sin(k * phase + rng.uniform(0, 6.3)) / k for k in range(1, 24))
    syllables = np.maximum(0.0, np.sin(2.0 * np.pi * 3.1 * seconds))
    level = 10.0 ** (np.linspace(-80.0, 0.0, samples) / 20.0)
    signal = level * (0.4 * voice * syllables + 0.1 * rng.standard_normal(samples))
    signal[: samples // 50] = 0.0
    return np.clip(signal, -1.0, 1.0).astype(np.float32)
