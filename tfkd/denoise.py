"""Denoise recordings: any length in constant memory, any sample rate and channel count."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from tfkd import audio
from tfkd.engines.engine import Engine
from tfkd.enhance import Enhancer
from tfkd.errors import AudioError
from tfkd.frontend import to_int16

Floats = NDArray[np.float32]
Blocks = Iterator[Floats]

PEAK_LIMIT = 0.999  # of full scale; integer formats clip beyond
ROUNDING = 1.0 + 2.0**-20  # what analysis and synthesis may add to a peak in float32


@dataclass(frozen=True)
class Denoised:
    """What `denoise_file` did; gain is below 1 where the enhanced peak would have clipped."""

    source: Path
    output: Path
    seconds: float
    sample_rate: int
    channels: int
    gain: float


def denoise_file(
    source: str | Path,
    output: str | Path,
    open_engine: Callable[[], Engine],
    advance: Callable[[float], None] = lambda seconds: None,
) -> Denoised:
    """Denoise one recording, every channel by itself.

    The output has the source's sample rate, channels and length, is aligned with it to the
    sample, and holds nothing above half the model's sample rate. Should its peak pass full scale,
    a second pass scales all of it.

    Args:
        source: recording that libsndfile reads.
        output: .wav or .flac.
        open_engine: makes an engine; called once per channel.
        advance: is told the seconds of audio done since its last call.

    Raises:
        AudioError: the source is unusable, or the output cannot be written.
    """
    header = audio.info(source)
    enhancers = [Enhancer(open_engine()) for _ in range(header.channels)]
    gain = 1.0
    try:
        _write_denoised(header, output, enhancers, gain, advance)
    except _Overshoot as overshoot:
        gain = overshoot.gain
        _write_denoised(header, output, enhancers, gain, advance)
    return Denoised(
        header.path, Path(output), header.seconds, header.sample_rate, header.channels, gain
    )


class _Overshoot(Exception):
    """Abandons a pass whose output would clip; `gain` avoids it."""

    def __init__(self, gain: float) -> None:
        self.gain = gain


class _PeakMeter:
    """Passes blocks through and remembers their largest magnitude."""

    def __init__(self, blocks: Blocks) -> None:
        self._blocks = blocks
        self.peak = 0.0

    def __iter__(self) -> Blocks:
        for block in self._blocks:
            self.peak = max(self.peak, float(np.abs(block).max(initial=0.0)))
            yield block


def _write_denoised(
    header: audio.AudioInfo,
    output: str | Path,
    enhancers: Sequence[Enhancer],
    gain: float,
    advance: Callable[[float], None],
) -> None:
    """One pass over the recording; raises _Overshoot, leaving nothing, if a first pass clips."""
    subtype = audio.subtype_in(output, header.written_subtype)
    noisy = _PeakMeter(audio.blocks(header))
    enhanced = _PeakMeter(_denoised_blocks(iter(noisy), header, enhancers))
    with audio.writer(
        output, header.sample_rate, header.channels, subtype, header.samples
    ) as write:
        for block in enhanced:
            scaled = block * np.float32(gain)
            # libsndfile would round down; this is what the exported C code gives.
            write(to_int16(scaled) if subtype == "PCM_16" else scaled)
            advance(len(block) / header.sample_rate)
        # A float file may keep peaks beyond full scale that its source had.
        limit = max(PEAK_LIMIT, noisy.peak) if subtype in ("FLOAT", "DOUBLE") else PEAK_LIMIT
        if gain == 1.0 and enhanced.peak > limit * ROUNDING:
            raise _Overshoot(limit / enhanced.peak)


def _denoised_blocks(
    noisy: Blocks, header: audio.AudioInfo, enhancers: Sequence[Enhancer]
) -> Blocks:
    """Noisy blocks [samples, channels] to enhanced ones, both at the file's rate and length."""
    model_rate = enhancers[0].sample_rate
    at_model_rate = _resampled(noisy, header.sample_rate, model_rate, header.channels)
    enhanced = _enhanced(at_model_rate, enhancers)
    remaining = header.samples
    for block in _resampled(enhanced, model_rate, header.sample_rate, header.channels):
        yield block[:remaining]
        remaining -= len(block[:remaining])
        if not remaining:
            return
    if remaining:  # rates without a common hop may end a sample short
        yield np.zeros((remaining, header.channels), np.float32)


def _resampled(blocks: Blocks, from_rate: int, to_rate: int, channels: int) -> Blocks:
    if from_rate == to_rate:
        yield from blocks
        return
    stream = soxr.ResampleStream(from_rate, to_rate, channels)
    for block in blocks:
        yield stream.resample_chunk(block)
    yield stream.resample_chunk(np.zeros((0, channels), np.float32), last=True)


def _enhanced(blocks: Blocks, enhancers: Sequence[Enhancer]) -> Blocks:
    """Enhance blocks of any length without lag; the end is padded to whole hops."""
    hop = enhancers[0].hop
    pending = np.zeros((0, len(enhancers)), np.float32)
    for enhancer in enhancers:
        enhancer.reset()
    lag = hop
    for block in itertools.chain(blocks, [None]):
        if block is None:  # the end: fill the last hop, then one more for the lag
            missing = -len(pending) % hop + hop
            block = np.zeros((missing, len(enhancers)), np.float32)
        pending = np.concatenate([pending, block])
        whole = len(pending) // hop * hop
        if not whole:
            continue
        columns = zip(enhancers, pending[:whole].T, strict=True)
        enhanced = np.stack([enhancer.process(column) for enhancer, column in columns], axis=1)
        pending = pending[whole:]
        yield enhanced[lag:]
        lag = 0


def plan_outputs(sources: Sequence[str | Path], output: str | Path) -> list[tuple[Path, Path]]:
    """Which file becomes which: (source, output) pairs.

    One source file becomes `output` itself, or output/NAME.wav if `output` is a folder or ends in
    "/". Of a folder, every recording becomes a .wav of the same name and place under `output`; what
    lies in an `output` inside that folder, from an earlier call, is no source.

    Raises:
        AudioError: a missing or empty source, a folder that holds outputs alone, an empty name, two
            sources for one output, an output that is a source, or a file name as the output of
            several recordings.
    """
    if "" in map(str, (*sources, output)):
        raise AudioError(
            "a name is empty, as an unset variable of the shell is. Expected files or folders."
        )
    folder = Path(output)
    to_folder = len(sources) > 1 or folder.is_dir() or str(output).endswith("/")
    several = len(sources) > 1 or Path(sources[0]).is_dir()
    if several and folder.suffix.lower() in audio.WRITTEN_SUFFIXES and not folder.is_dir():
        raise AudioError(f"{output}: names a file. Expected a folder for several recordings.")
    pairs: list[tuple[Path, Path]] = []
    for source in map(Path, sources):
        if source.is_dir():
            is_inside = _lies_in(folder, source)
            found = [
                (path, folder / path.relative_to(source).with_suffix(".wav"))
                for path in audio.audio_files(source)
                if not (is_inside and _lies_in(path, folder))
            ]
            if not found:
                raise AudioError(
                    f"{source}: holds no recordings but those in {folder}, which are outputs. "
                    f"Expected others, or another -o."
                )
            pairs += found
        elif to_folder:
            pairs.append((source, folder / f"{source.stem}.wav"))
        else:
            pairs.append((source, folder))
    owners: dict[Path, Path] = {}
    recordings = {path.resolve(): path for path, _ in pairs}
    for path, target in pairs:
        if overwritten := recordings.get(target.resolve()):
            whose = "its source" if overwritten == path else f"the source {overwritten}"
            raise AudioError(f"{path}: the output would overwrite {whose}. Choose another -o.")
        if target in owners:
            raise AudioError(
                f"{owners[target]} and {path} would both become {target}. Denoise them into "
                f"different folders."
            )
        owners[target] = path
    return pairs


def _lies_in(path: Path, folder: Path) -> bool:
    return folder.resolve() in path.resolve().parents
