"""Folders of recordings, by their headers: clips, speakers, and the split into train and valid.

TensorFlow-free. The formats are those that tensorflow-io decodes in the training graph: WAV (8, 16,
24, 32-bit integer and 32-bit float), FLAC (16, 24-bit) and Ogg Vorbis; any sample rate, any number
of channels.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import soundfile

from tfkd import audio
from tfkd.data.manifest import Row, read_manifest
from tfkd.errors import AudioError, CorpusError

EXTENSIONS = (".wav", ".flac", ".ogg")
OTHER_AUDIO = (".mp3", ".m4a", ".aac", ".wma", ".opus", ".aif", ".aiff", ".sph", ".mp4", ".amr")
SUBTYPES = {
    "WAV": ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"),
    "FLAC": ("PCM_16", "PCM_24"),
    "OGG": ("VORBIS",),
}
TRAIN_FOLDERS = ("train",)
VALID_FOLDERS = ("valid", "validation")
TEST_FOLDERS = ("test",)
MANIFEST = "manifest.csv"
SHORTEST_CUT_S = 10.0
SHOWN_PROBLEMS = 10
MANIFEST_LEVELS = 3  # the folder itself and two above it


@dataclass(frozen=True)
class Clip:
    """One recording, as its header describes it."""

    path: Path
    seconds: float
    sample_rate: int
    channels: int
    subtype: str
    speaker: str = ""
    first_frame: int = 0  # where it begins in its file: one recording may become two clips

    @property
    def frames(self) -> int:
        """Samples per channel at the file's own rate."""
        return round(self.seconds * self.sample_rate)


@dataclass(frozen=True)
class Corpus:
    """The clips to learn from and those that only validate.

    Known speakers are disjoint, unless there is a single one.
    """

    train: tuple[Clip, ...]
    valid: tuple[Clip, ...]
    skipped: tuple[Path, ...] = ()  # audio files in formats that are not decoded


def read_corpus(folder: Path | str, *, valid_fraction: float = 0.1, seed: int = 0) -> Corpus:
    """Read the headers of every recording under a folder, any nesting, and split them.

    The split comes from the first of these that exists: sub-folders `train` and `valid` (or
    `validation`; other folders beside them are left alone); the column `split` of a `manifest.csv`
    in the folder or up to two above it (files it does not list are for training); else a seeded
    choice of whole speakers until `valid_fraction` of the time is reached; a single recording is
    cut in two.

    The speaker of a clip is the manifest's `speaker_or_class` or `speaker`; else the first folder
    level, or the file itself where there is none.

    Raises:
        CorpusError: the folder is missing, empty, or cannot be split.
        AudioError: a recording is unreadable, truncated, empty, not finite, in an encoding that is
            not decoded, or its name is not UTF-8.
    """
    root = Path(folder)
    paths, skipped = find_recordings(root)
    rows = _manifest_rows(root)
    train_root = _existing(root, TRAIN_FOLDERS)
    valid_root = _existing(root, VALID_FOLDERS)
    if train_root is not None:
        clips = _read_all([p for p in paths if train_root in p.parents], train_root, rows)
        if not clips:
            raise CorpusError(f"No recordings in the train folder of the corpus: {train_root}.")
        if valid_root is None:
            train, valid = split_by_speaker(clips, valid_fraction, seed)
        else:
            train = clips
            valid = _read_all([p for p in paths if valid_root in p.parents], valid_root, rows)
            if not valid:
                raise CorpusError(f"No recordings in the validation folder: {valid_root}.")
    elif any(row.get("split") for row in rows.values()):
        splits = {path: rows.get(path.resolve(), {}).get("split") or "train" for path in paths}
        train = _read_all([p for p in paths if splits[p] in TRAIN_FOLDERS], root, rows)
        valid = _read_all([p for p in paths if splits[p] in VALID_FOLDERS], root, rows)
        if not train:
            raise CorpusError(
                f"The manifest assigns no recording under {root} to the split 'train'. "
                f"Received: {dict(Counter(splits.values()))}."
            )
        if not valid:
            train, valid = split_by_speaker(train, valid_fraction, seed)
    else:
        clips = _read_all(paths, root, rows)
        train, valid = split_by_speaker(clips, valid_fraction, seed)
    return Corpus(tuple(train), tuple(valid), tuple(skipped))


def read_test_clips(folder: Path | str) -> tuple[Clip, ...]:
    """The clips that a corpus sets apart for tests: its sub-folder `test`, or those of that split
    in the manifest; none where there is neither.

    Raises:
        CorpusError, AudioError: see `read_corpus`.
    """
    root = Path(folder)
    paths, _ = find_recordings(root)
    rows = _manifest_rows(root)
    test_root = _existing(root, TEST_FOLDERS)
    if test_root is not None:
        return tuple(_read(path, test_root, rows) for path in paths if test_root in path.parents)
    return tuple(
        _read(path, root, rows)
        for path in paths
        if rows.get(path.resolve(), {}).get("split") in TEST_FOLDERS
    )


def find_recordings(root: Path) -> tuple[list[Path], list[Path]]:
    """Sorted recordings under a folder that can be decoded, and the audio files that cannot."""
    if not root.exists():
        raise CorpusError(f"The folder {root} does not exist. Give a folder of recordings.")
    if not root.is_dir():
        raise CorpusError(f"{root} is a file; a folder of recordings was expected.")
    files = sorted(
        path
        for path in root.rglob("*")
        if path.is_file() and not audio.is_hidden(path, root)  # ._x.wav of macOS is no audio
    )
    found = [path for path in files if path.suffix.lower() in EXTENSIONS]
    skipped = [path for path in files if path.suffix.lower() in OTHER_AUDIO]
    if not found:
        kinds = sorted({path.suffix.lower() for path in skipped})
        received = (
            f"only {', '.join(kinds)} ({len(skipped)} files), which the training graph does not "
            f"decode; convert them to FLAC"
            if skipped
            else f"{len(files)} files of other kinds"
        )
        raise CorpusError(
            f"No recordings under {root}. Expected {', '.join(EXTENSIONS)}. Received: {received}."
        )
    return found, skipped


def read_clip(path: Path, speaker: str = "") -> Clip:
    """Read one header; the last sample is read too, so that a truncated file is found here.

    Raises:
        AudioError: see `read_corpus`.
    """
    audio.check_name(path)
    try:
        with soundfile.SoundFile(path) as file:
            clip = Clip(
                path,
                file.frames / file.samplerate,
                file.samplerate,
                file.channels,
                file.subtype,
                speaker,
            )
            container = {"WAVEX": "WAV"}.get(file.format, file.format)
            if clip.frames <= 0:
                raise AudioError(f"{path} holds no audio. Remove or replace it.")
            if clip.subtype not in SUBTYPES.get(container, ()):
                expected = "; ".join(f"{key} {', '.join(SUBTYPES[key])}" for key in SUBTYPES)
                raise AudioError(
                    f"{path} has an encoding that the training graph does not decode. Expected "
                    f"{expected}. Received: {file.format} {clip.subtype}. Convert it to FLAC."
                )
            # libsndfile notes here that the header promises more than the file holds.
            truncated = container == "WAV" and "data : " in file.extra_info
            truncated = truncated and "should be" in file.extra_info.split("data : ")[1][:60]
            if not truncated:
                file.seek(clip.frames - 1)
                truncated = len(file.read(1)) == 0
            if truncated:
                raise AudioError(
                    f"{path} is truncated: its header declares more audio than it holds. "
                    "Copy or export it again."
                )
            if clip.subtype == "FLOAT":  # the only encoding that can hold NaN
                file.seek(0)
                for block in file.blocks(1 << 20, dtype="float32"):
                    if not audio.are_usable(block).all():
                        raise AudioError(
                            f"{path} holds samples that are NaN, infinite or beyond "
                            f"{audio.LARGEST_SAMPLE:g}. Repair it."
                        )
    except (soundfile.LibsndfileError, OSError) as error:
        reason = str(error).rstrip(".")
        raise AudioError(
            f"{path} cannot be read as audio: {reason}. Replace or remove it."
        ) from error
    return clip


def split_by_speaker(
    clips: Sequence[Clip], valid_fraction: float, seed: int
) -> tuple[list[Clip], list[Clip]]:
    """Give whole speakers, in seeded random order, to valid until it has its share of the seconds.

    With a single speaker the files are divided instead, a single file in time.

    Raises:
        CorpusError: a single recording that is too short for two parts.
    """
    groups: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        groups[clip.speaker].append(clip)
    if len(groups) == 1:
        groups = {str(clip.path): [clip] for clip in clips}
    if len(groups) == 1:
        return split_in_time(clips[0], valid_fraction)
    order = sorted(groups)
    random.Random(seed).shuffle(order)
    wanted = valid_fraction * sum(clip.seconds for clip in clips)
    chosen: set[str] = set()
    held = 0.0
    for speaker in order[:-1]:  # at least one trains
        if held > wanted * (1.0 - 1e-9):  # sums of seconds are rounded
            break
        chosen.add(speaker)
        held += sum(clip.seconds for clip in groups[speaker])
    valid = {clip.path for speaker in chosen for clip in groups[speaker]}
    return (
        [clip for clip in clips if clip.path not in valid],
        [clip for clip in clips if clip.path in valid],
    )


def split_in_time(clip: Clip, valid_fraction: float) -> tuple[list[Clip], list[Clip]]:
    """The end of a recording validates, what comes before trains.

    Raises:
        CorpusError: it is shorter than `SHORTEST_CUT_S`.
    """
    if clip.seconds < SHORTEST_CUT_S:
        raise CorpusError(
            f"One recording of {clip.seconds:.1f} s cannot be split into train and valid: "
            f"{clip.path}. Expected {SHORTEST_CUT_S:g} s at least, or several recordings."
        )
    cut = min(max(round((1.0 - valid_fraction) * clip.frames), 1), clip.frames - 1)
    rest = clip.frames - cut
    return (
        [replace(clip, seconds=cut / clip.sample_rate)],
        [replace(clip, seconds=rest / clip.sample_rate, first_frame=clip.first_frame + cut)],
    )


def speaker_ids(clips: Iterable[Clip]) -> list[int]:
    """Number the speakers of the clips, in order of appearance."""
    numbers: dict[str, int] = {}
    return [numbers.setdefault(clip.speaker, len(numbers)) for clip in clips]


def _existing(root: Path, names: Sequence[str]) -> Path | None:
    return next((root / name for name in names if (root / name).is_dir()), None)


def _manifest_rows(root: Path) -> dict[Path, Row]:
    """Rows of the nearest manifest, by resolved path; empty if there is none."""
    resolved = root.resolve()
    for base in [resolved, *resolved.parents][:MANIFEST_LEVELS]:
        manifest = base / MANIFEST
        if manifest.is_file():
            return read_manifest(manifest)
    return {}


def _read_all(paths: Sequence[Path], root: Path, rows: Mapping[Path, Row]) -> list[Clip]:
    """Every clip, or one error that names all that cannot be used."""
    clips, problems = [], []
    for path in paths:
        try:
            clips.append(_read(path, root, rows))
        except AudioError as error:
            problems.append(str(error))
    if len(problems) > 1:
        shown = problems[:SHOWN_PROBLEMS]
        if rest := len(problems) - len(shown):
            shown.append(f"and {rest} more; `tfkd data check {root}` names them all")
        raise AudioError("\n  ".join([f"{len(problems)} recordings cannot be used:", *shown]))
    if problems:
        raise AudioError(problems[0])
    return clips


def _read(path: Path, root: Path, rows: Mapping[Path, Row]) -> Clip:
    row = rows.get(path.resolve(), {})
    speaker = row.get("speaker_or_class") or row.get("speaker")
    return read_clip(path, speaker or path.relative_to(root).parts[0])
