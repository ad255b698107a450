"""Audio files at the edge of the project: any format, rate and channel count.

Samples are float32 of shape [samples, channels], full scale 1.0, as in soundfile and soxr.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from tfkd.atomic import atomic_path
from tfkd.errors import AudioError

Floats = NDArray[np.float32]
Int16 = NDArray[np.int16]

SUFFIXES = frozenset(
    {".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au", ".caf", ".w64"}
)
BLOCK_FRAMES = 1 << 16
RATES = (1000, 1_000_000)  # Hz; a header beyond is damaged, and would resample to gigabytes
LARGEST_SAMPLE = 1e12  # full scale is 1; the power spectrum of more overflows float32
_WRITTEN_FORMATS = {".wav": "WAV", ".flac": "FLAC"}
WRITTEN_SUFFIXES = frozenset(_WRITTEN_FORMATS)
_WAV_LIMIT_BYTES = 0xFFFF_0000  # a RIFF chunk holds at most 4 GiB
_SYSTEM_ERROR = 2  # libsndfile's code for what the operating system refuses
_SHORTFALL = {"MP3": 0.05}  # an MP3's header estimates its length; others state it exactly
_CHUNK_SIZE = re.compile(  # in the log of libsndfile: WAV, AIFF, AU, and the whole file of W64
    r"^\s*(?:data|SSND|Data Size|riff)\s*: (\d+) \(should be (\d+)\)", re.MULTILINE
)
_OGG_PAGE_BYTES = 65_307  # at most
_OGG_LAST_PAGE = 0x04
_UNKNOWN_CHUNK_BYTES = 0x7FFF_F000  # writers into a pipe leave such a size behind


@dataclass(frozen=True)
class AudioInfo:
    """What the header of a recording says."""

    path: Path
    samples: int
    sample_rate: int
    channels: int
    format: str
    subtype: str

    @property
    def seconds(self) -> float:
        return self.samples / self.sample_rate

    @property
    def written_subtype(self) -> str:
        """Subtype for a processed copy: the same width, but never 8 bits or a lossy code."""
        return self.subtype if self.subtype in _KEPT_SUBTYPES else "PCM_16"


_KEPT_SUBTYPES = {"PCM_16": 2, "PCM_24": 3, "PCM_32": 4, "FLOAT": 4, "DOUBLE": 8}  # their bytes


def info(path: str | Path) -> AudioInfo:
    """Read a recording's header.

    Raises:
        AudioError: no such file, not readable, not audio, truncated, without a single sample, of a
            sample rate beyond `RATES`, or of a name that is not UTF-8.
    """
    path = Path(path)
    check_name(path)
    if not path.is_file():
        if _is_pipe_or_device(path):
            raise AudioError(
                f"{path}: is a pipe or a device, in which nobody can go back. Expected an audio "
                f"file: save it as one first."
            )
        raise AudioError(f"{path}: no such file. Expected an audio file.")
    if path.stat().st_size == 0:
        raise AudioError(f"{path}: the file is empty (0 bytes). Expected an audio file.")
    try:
        path.open("rb").close()  # of a refusal the system tells more than libsndfile
        header = soundfile.info(str(path), verbose=True)
    except OSError as error:
        raise AudioError(f"{path}: cannot be read ({_reason(error)}).") from error
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{path}: cannot be read as audio ({_reason(error)}). Expected a file that libsndfile "
            f"reads, such as WAV, FLAC, Ogg or MP3."
        ) from error
    if header.format == "OGG" and not _ends_its_stream(path):
        raise AudioError(f"{path}: the file is truncated: its last page does not end the stream.")
    for declared, present in _CHUNK_SIZE.findall(header.extra_info):
        if int(present) < int(declared) < _UNKNOWN_CHUNK_BYTES:
            raise AudioError(
                f"{path}: the file is truncated. Its header promises {declared} bytes, "
                f"{present} are there. Copy or record it again."
            )
    if header.frames <= 0:
        raise AudioError(f"{path}: holds no audio; it is empty or truncated.")
    if not RATES[0] <= header.samplerate <= RATES[1]:
        raise AudioError(
            f"{path}: its header says {header.samplerate} Hz. Expected {RATES[0]} to {RATES[1]:,} "
            f"Hz; is it damaged?"
        )
    return AudioInfo(
        path, header.frames, header.samplerate, header.channels, header.format, header.subtype
    )


def _ends_its_stream(path: Path) -> bool:
    """Whether the last page of an Ogg file says that it is the last (RFC 3533, section 6)."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _OGG_PAGE_BYTES))
        tail = file.read()
    page = tail.rfind(b"OggS\0")
    return page >= 0 and len(tail) > page + 5 and bool(tail[page + 5] & _OGG_LAST_PAGE)


def check_name(path: Path) -> None:
    """Refuse a name that neither libsndfile nor TensorFlow takes, as old archives hold.

    Raises:
        AudioError: the name is not UTF-8.
    """
    try:
        str(path).encode("utf-8")
    except UnicodeEncodeError as error:
        shown = os.fsencode(path).decode("utf-8", "backslashreplace")
        raise AudioError(f"{shown}: its name is not UTF-8. Rename the file.") from error


def are_usable(samples: Floats) -> NDArray[np.bool_]:
    """Which samples are numbers whose power float32 can hold; of the same shape."""
    usable: NDArray[np.bool_] = np.abs(samples) <= LARGEST_SAMPLE
    return usable


def blocks(header: AudioInfo, block_samples: int = BLOCK_FRAMES) -> Iterator[Floats]:
    """Yield a recording in blocks [at most block_samples, channels].

    Raises:
        AudioError: damaged or truncated within the data, or a sample is no usable number.
    """
    seen = 0
    try:
        with soundfile.SoundFile(str(header.path)) as file:
            while len(block := file.read(block_samples, dtype="float32", always_2d=True)):
                usable = are_usable(block).all(axis=1)
                if not usable.all():
                    raise AudioError(
                        f"{header.path}: sample {seen + int(np.argmin(usable))} is NaN, infinite "
                        f"or beyond {LARGEST_SAMPLE:g}. Expected samples around a full scale of 1; "
                        f"repair or remove the file."
                    )
                seen += len(block)
                yield block
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioError(
            f"{header.path}: the audio is damaged or truncated after {seen} of "
            f"{header.samples} samples ({_reason(error)})."
        ) from error
    if seen < header.samples * (1.0 - _SHORTFALL.get(header.format, 0.0)):
        raise AudioError(
            f"{header.path}: the file is truncated. Its header promises {header.samples} samples, "
            f"{seen} are there. Copy or record it again."
        )


def read(path: str | Path, sample_rate: int | None = None) -> tuple[Floats, int]:
    """Read a whole recording.

    Args:
        path: audio file.
        sample_rate: resample to this rate in Hz; None keeps the file's own.

    Returns:
        Samples [samples, channels] in [-1, 1] for integer files, and their rate in Hz.

    Raises:
        AudioError: see `info` and `blocks`.
    """
    header = info(path)
    samples = np.concatenate(list(blocks(header)))
    if sample_rate is None or sample_rate == header.sample_rate:
        return samples, header.sample_rate
    return resample(samples, header.sample_rate, sample_rate), sample_rate


def read_mono(path: str | Path, sample_rate: int) -> Floats:
    """Read a recording as the mean of its channels at `sample_rate` Hz, shape [samples]."""
    samples, _ = read(path, sample_rate)
    return np.asarray(samples.mean(axis=1), dtype=np.float32)


def resample(samples: Floats, from_rate: int, to_rate: int) -> Floats:
    """Resample [samples, channels] or [samples] without delay, to round(samples * to / from)."""
    result = soxr.resample(samples, from_rate, to_rate)
    return fit_length(result, round(len(samples) * to_rate / from_rate))


def fit_length(samples: Floats, length: int) -> Floats:
    """Cut, or pad with zeros at the end, along the first axis."""
    if len(samples) >= length:
        return samples[:length]
    padding = np.zeros((length - len(samples), *samples.shape[1:]), samples.dtype)
    return np.concatenate([samples, padding])


def audio_files(folder: str | Path) -> list[Path]:
    """All recordings under a folder, any depth, sorted; hidden files are left out.

    Raises:
        AudioError: the folder is missing or not readable, is not a folder, or holds no recording.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is not a folder" if folder.exists() else "no such folder"
        raise AudioError(f"{folder}: {what}. Expected a folder of audio files.")
    try:
        os.scandir(folder).close()  # rglob would find nothing
    except OSError as error:
        raise AudioError(f"{folder}: cannot be read ({_reason(error)}).") from error
    found = sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file() and not is_hidden(path, folder)
    )
    if not found:
        raise AudioError(
            f"{folder}: holds no audio. Expected files that end in {', '.join(sorted(SUFFIXES))}."
        )
    return found


def is_hidden(path: Path, folder: Path) -> bool:
    """Whether the file, or a folder between it and `folder`, has a name that begins with a dot."""
    return any(part.startswith(".") for part in path.relative_to(folder).parts)


def subtype_in(path: str | Path, subtype: str) -> str:
    """The sample format that a file of this name gets: FLAC holds integers of 16 or 24 bits."""
    if Path(path).suffix.lower() == ".flac" and subtype not in ("PCM_16", "PCM_24"):
        return "PCM_24"
    return subtype


@contextmanager
def writer(
    path: str | Path,
    sample_rate: int,
    channels: int,
    subtype: str = "PCM_16",
    expected_samples: int = 0,
) -> Iterator[Callable[[Floats | Int16], None]]:
    """Write a .wav or .flac block by block; the file appears whole or not at all.

    Args:
        path: ends in .wav or .flac; missing parent folders are made.
        sample_rate: Hz.
        channels: number of channels.
        subtype: libsndfile's name of the sample format, for example PCM_16 or FLOAT; see
            `subtype_in`.
        expected_samples: chooses RF64 instead of WAV where the file would pass 4 GiB.

    Yields:
        A function that appends samples [samples, channels] or [samples], float or int16.

    Raises:
        AudioError: another suffix, a name that is not UTF-8, more channels or a higher rate than
            FLAC holds, a folder that cannot be written to, or a full disk.
    """
    path = Path(path)
    check_name(path)
    suffix = path.suffix.lower()
    if suffix not in _WRITTEN_FORMATS:
        raise AudioError(
            f"{path}: cannot write this format. Expected a name that ends in "
            f"{' or '.join(_WRITTEN_FORMATS)}. Received: '{path.suffix}'."
        )
    name = _WRITTEN_FORMATS[suffix]
    subtype = subtype_in(path, subtype)
    size = expected_samples * channels * _KEPT_SUBTYPES.get(subtype, 8)
    if name == "WAV" and size > _WAV_LIMIT_BYTES:
        name = "RF64"
    if _is_pipe_or_device(path):
        raise AudioError(
            f"{path}: is a pipe or a device. Expected the name of a file: a header tells the "
            f"length, which is known at the end."
        )
    try:
        with atomic_path(path) as temporary:
            file = _created(path, temporary, sample_rate, channels, subtype, name)
            with file:

                def write(samples: Floats | Int16) -> None:
                    try:
                        file.write(samples)
                    except AssertionError as error:  # soundfile's report of a short write
                        raise OSError("the disk is full") from error

                yield write
                written = file.frames
            # libsndfile swallows a write error on closing: count what arrived.
            if soundfile.info(str(temporary)).frames != written:
                raise OSError("the disk is full")
    except (soundfile.SoundFileError, OSError) as error:
        raise AudioError(
            f"{path}: cannot be written ({_reason(error)}). Free some space or choose another "
            f"folder; nothing was left behind."
        ) from error


def _created(
    path: Path, temporary: Path, sample_rate: int, channels: int, subtype: str, name: str
) -> soundfile.SoundFile:
    """A file open for writing; what the format does not hold is an AudioError about `path`."""
    temporary.touch()  # of a refusal the system tells more than libsndfile
    try:
        return soundfile.SoundFile(str(temporary), "w", sample_rate, channels, subtype, format=name)
    except soundfile.LibsndfileError as error:
        if error.code == _SYSTEM_ERROR:
            raise
        raise AudioError(
            f"{path}: {name} does not hold {channels} channels at {sample_rate} Hz "
            f"({_reason(error)}). Choose a name that ends in .wav."
        ) from error


def write(path: str | Path, samples: Floats, sample_rate: int, subtype: str = "PCM_16") -> None:
    """Write samples [samples, channels] or [samples] to a .wav or .flac, whole or not at all.

    Raises:
        AudioError: see `writer`.
    """
    channels = 1 if samples.ndim == 1 else samples.shape[1]
    with writer(path, sample_rate, channels, subtype, len(samples)) as append:
        append(samples)


def _is_pipe_or_device(path: Path) -> bool:
    return path.exists() and not path.is_file() and not path.is_dir()


def _reason(error: BaseException) -> str:
    """The innermost words of an error, without the path that the message has already."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(getattr(error, "error_string", error)).rstrip(".").removeprefix("Error : ")
    # libsndfile keeps no more than that of what the system answered.
    return "the system refused; is the disk full?" if text == "System error" else text
