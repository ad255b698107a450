"""Look for what spoils a corpus: damaged, clipped, silent, duplicate files, shared speakers."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfkd import audio
from tfkd.data.corpus import Clip, find_recordings, read_corpus, read_test_clips
from tfkd.errors import AudioError, TfkdError

CLIPPED_LEVEL = 0.999  # of full scale
CLIPPED_RUN = 3  # consecutive samples at full scale that make a clip audible
SILENT_DBFS = -70.0  # a recording whose peak stays below is taken for silent


@dataclass(frozen=True)
class RecordingReport:
    """What one recording holds."""

    path: Path
    seconds: float
    sample_rate: int
    channels: int
    peak_dbfs: float
    clipped: bool
    digest: str


@dataclass(frozen=True)
class CorpusReport:
    """What a folder holds. `errors` make it unusable; the rest is for the user to judge.

    Args:
        recordings: those that can be read, to their end.
        errors: why others, or the whole folder, cannot be used.
        skipped: audio files in formats that are not decoded.
        split_seconds: train, valid and, where there is one, test -> seconds.
        shared_speakers: two splits -> the speakers that are in both, where there are any.
    """

    recordings: tuple[RecordingReport, ...]
    errors: tuple[str, ...]
    skipped: tuple[Path, ...]
    split_seconds: dict[str, float] = field(default_factory=dict)
    shared_speakers: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)

    @property
    def hours(self) -> float:
        return sum(r.seconds for r in self.recordings) / 3600.0

    @property
    def sample_rates(self) -> dict[int, int]:
        """Hz -> number of recordings."""
        return dict(Counter(r.sample_rate for r in self.recordings).most_common())

    @property
    def channels(self) -> dict[int, int]:
        """Channels -> number of recordings."""
        return dict(Counter(r.channels for r in self.recordings).most_common())

    @property
    def clipped(self) -> list[Path]:
        return [r.path for r in self.recordings if r.clipped]

    @property
    def silent(self) -> list[Path]:
        return [r.path for r in self.recordings if r.peak_dbfs < SILENT_DBFS]

    @property
    def duplicates(self) -> list[list[Path]]:
        """Groups of recordings with the same samples."""
        groups: dict[str, list[Path]] = defaultdict(list)
        for recording in self.recordings:
            groups[recording.digest].append(recording.path)
        return [paths for paths in groups.values() if len(paths) > 1]


def check_corpus(
    folder: str | Path, advance: Callable[[float], None] = lambda recordings: None
) -> CorpusReport:
    """Read every recording under a folder to its end.

    Raises:
        CorpusError: the folder is missing or holds no recording.
    """
    paths, skipped = find_recordings(Path(folder))
    recordings, errors = [], []
    for path in paths:
        try:
            recordings.append(check_recording(path))
        except AudioError as error:
            errors.append(str(error))
        advance(1)
    splits: dict[str, tuple[Clip, ...]] = {}
    if not errors:
        try:
            splits = _splits(folder)
        except TfkdError as error:  # for example a single file, which cannot be split
            errors.append(str(error))
    speakers = {name: {clip.speaker for clip in clips} - {""} for name, clips in splits.items()}
    return CorpusReport(
        tuple(recordings),
        tuple(errors),
        tuple(skipped),
        {name: sum(clip.seconds for clip in clips) for name, clips in splits.items()},
        {
            (one, other): tuple(sorted(speakers[one] & speakers[other]))
            for one, other in itertools.combinations(splits, 2)
            if speakers[one] & speakers[other]
        },
    )


def _splits(folder: str | Path) -> dict[str, tuple[Clip, ...]]:
    corpus = read_corpus(folder)
    tested = read_test_clips(folder)
    splits = {"train": corpus.train, "valid": corpus.valid}
    return {**splits, "test": tested} if tested else splits


def check_recording(path: Path) -> RecordingReport:
    """Read one recording.

    Raises:
        AudioError: damaged, truncated, empty, or not finite.
    """
    header = audio.info(path)
    peak, clipped = 0.0, False
    digest = hashlib.sha256()
    for block in audio.blocks(header):
        digest.update(np.ascontiguousarray(block).tobytes())
        peak = max(peak, float(np.abs(block).max()))
        clipped = clipped or bool(_longest_run(np.abs(block) >= CLIPPED_LEVEL) >= CLIPPED_RUN)
    decibels = 20.0 * float(np.log10(max(peak, 1e-9)))
    return RecordingReport(
        path,
        header.seconds,
        header.sample_rate,
        header.channels,
        decibels,
        clipped,
        digest.hexdigest(),
    )


def _longest_run(flags: NDArray[np.bool_]) -> int:
    """Longest run of True along the first axis, over all columns of [samples, channels]."""
    if not flags.any():
        return 0
    padded = np.pad(flags, ((1, 1), (0, 0))).astype(np.int8)
    edges = np.diff(padded, axis=0).T  # [channels, samples + 1]: +1 starts a run, -1 ends it
    starts, ends = np.nonzero(edges == 1)[1], np.nonzero(edges == -1)[1]
    return int((ends - starts).max())


def shown(paths: Sequence[Path], limit: int = 5) -> str:
    """The first few paths of a list, and how many more there are."""
    more = f" and {len(paths) - limit} more" if len(paths) > limit else ""
    return ", ".join(map(str, paths[:limit])) + more
