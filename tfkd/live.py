"""Denoise while it sounds: hop by hop from a source to a sink, each a sound card or a file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tfkd import audio
from tfkd.audio import Floats, Int16
from tfkd.engines.engine import Engine
from tfkd.enhance import Enhancer
from tfkd.frontend import to_int16

SILENCE_DBFS = -99.0  # what a meter shows for nothing at all


class Source(Protocol):
    """Where noisy hops come from."""

    @property
    def latency_ms(self) -> float:
        """From the air to `read`, without the hop itself."""

    def read(self, samples: int) -> tuple[Floats | None, bool]:
        """The next samples [samples], None at the end; and whether some before them were lost."""


class Sink(Protocol):
    """Where enhanced hops go."""

    @property
    def latency_ms(self) -> float:
        """From `write` to the air."""

    def write(self, samples: Floats) -> bool:
        """Take samples [samples]; whether there was nothing to play before they came."""


@dataclass(frozen=True)
class Levels:
    """RMS of one hop before and after, in dB of full scale."""

    noisy_dbfs: float
    enhanced_dbfs: float


@dataclass
class LiveStatistics:
    """What happened so far.

    Args:
        hops: moved from source to sink.
        overflows: times that the source lost samples.
        underruns: times that the sink had nothing to play.
        late_hops: that took longer to compute than they last.
        compute_ms: in all.
        longest_ms: for one hop.
    """

    hops: int = 0
    overflows: int = 0
    underruns: int = 0
    late_hops: int = 0
    compute_ms: float = 0.0
    longest_ms: float = 0.0

    @property
    def mean_ms(self) -> float:
        """Computing time of a hop."""
        return self.compute_ms / self.hops if self.hops else 0.0

    def count(self, compute_ms: float, hop_ms: float, overflowed: bool, underrun: bool) -> None:
        """Count one hop."""
        self.hops += 1
        self.overflows += overflowed
        self.underruns += underrun
        self.late_hops += compute_ms > hop_ms
        self.compute_ms += compute_ms
        self.longest_ms = max(self.longest_ms, compute_ms)


class Live:
    """Moves hops from a source through an engine to a sink.

    `bypass` may change at any time: what is heard then is the noisy signal with the same delay, and
    one hop of cross-fade leads over.
    """

    def __init__(self, engine: Engine, source: Source, sink: Sink) -> None:
        self.bypass = False
        self.statistics = LiveStatistics()
        self._enhancer = Enhancer(engine)
        self._source, self._sink = source, sink
        self._frontend = engine.frontend

    @property
    def hop_ms(self) -> float:
        return self._frontend.hop_ms

    @property
    def latency_ms(self) -> dict[str, float]:
        """From the air to the air: what the window, the input and the output each take."""
        return {
            "algorithm": self._frontend.latency_ms,
            "input": self._source.latency_ms,
            "output": self._sink.latency_ms,
        }

    def run(
        self, hops: int | None = None, watch: Callable[[Levels], bool] = lambda levels: True
    ) -> None:
        """Run until the source ends, `hops` have passed, or `watch` returns false.

        Raises:
            AudioError: the source or the sink fails.
        """
        hop = self._enhancer.hop
        self._enhancer.process(np.zeros(hop, np.float32))  # the first frame prepares kernels
        self._enhancer.reset()
        previous = np.zeros(hop, np.float32)
        fade = np.linspace(0.0, 1.0, hop, dtype=np.float32)
        share = 0.0  # of the noisy signal at the last hop's end
        while hops is None or self.statistics.hops < hops:
            noisy, overflowed = self._source.read(hop)
            if noisy is None:
                return
            started = time.perf_counter()
            enhanced = self._enhancer.process(noisy)
            elapsed_ms = 1000.0 * (time.perf_counter() - started)
            wanted = float(self.bypass)
            mixture = share + (wanted - share) * fade
            heard = enhanced + mixture * (previous - enhanced)
            previous, share = noisy, wanted
            underrun = self._sink.write(heard)
            self.statistics.count(elapsed_ms, self.hop_ms, overflowed, underrun)
            if not watch(Levels(level_dbfs(noisy), level_dbfs(heard))):
                return


def level_dbfs(samples: Floats) -> float:
    """Formula: 10 log10(mean of the squares), at least -99."""
    power = float(np.mean(np.square(samples, dtype=np.float64)))
    return max(SILENCE_DBFS, 10.0 * float(np.log10(power))) if power > 0.0 else SILENCE_DBFS


class FileSource:
    """A recording as a source, as fast as it is read; silence fills its last hop and one more.

    Raises:
        AudioError: the recording is unusable.
    """

    latency_ms = 0.0

    def __init__(self, path: str | Path, sample_rate: int) -> None:
        self._samples = audio.read_mono(path, sample_rate)
        self._position = 0

    def read(self, samples: int) -> tuple[Floats | None, bool]:
        if self._position >= len(self._samples) + samples:
            return None, False
        block = self._samples[self._position : self._position + samples]
        self._position += samples
        return audio.fit_length(block, samples), False


class FileSink:
    """A .wav or .flac as a sink; made by `recording`."""

    latency_ms = 0.0

    def __init__(self, append: Callable[[Floats | Int16], None]) -> None:
        self._append = append

    def write(self, samples: Floats) -> bool:
        self._append(to_int16(samples))  # libsndfile would round down
        return False


@contextmanager
def recording(path: str | Path, sample_rate: int) -> Iterator[FileSink]:
    """A sink that writes a file, which appears whole when the context ends.

    Raises:
        AudioError: see `audio.writer`.
    """
    with audio.writer(path, sample_rate, channels=1) as append:
        yield FileSink(append)
