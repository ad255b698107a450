"""Microphones and loudspeakers through PortAudio, by the optional package sounddevice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfkd.errors import AudioError, MissingPackageError

Floats = NDArray[np.float32]

_WAITING_HOPS = 1  # of silence ahead of the first hop: slack for the computing time


@dataclass(frozen=True)
class Device:
    """One device, as PortAudio lists it."""

    index: int
    name: str
    inputs: int
    outputs: int
    default_sample_rate: float
    is_default_input: bool
    is_default_output: bool


def import_sounddevice() -> ModuleType:
    """The package.

    Raises:
        MissingPackageError: it, or the library PortAudio, is not installed.
    """
    try:
        import sounddevice
    except ImportError as error:
        raise MissingPackageError(
            "Sound cards need the package sounddevice, which is not installed. "
            "Install it: pip install 'tfkd[live]'"
        ) from error
    except OSError as error:  # the package is there, its library is not
        raise MissingPackageError(
            f"Sound cards need the library PortAudio ({error}). Install it: "
            f"apt-get install libportaudio2 on Debian and Ubuntu, dnf install portaudio on Fedora."
        ) from error
    module: ModuleType = sounddevice
    return module


def devices() -> list[Device]:
    """All devices.

    Raises:
        MissingPackageError: see `import_sounddevice`.
        AudioError: PortAudio fails.
    """
    package = import_sounddevice()
    with _failures_named(package):
        default_input, default_output = package.default.device
        return [
            Device(
                index=index,
                name=str(entry["name"]),
                inputs=int(entry["max_input_channels"]),
                outputs=int(entry["max_output_channels"]),
                default_sample_rate=float(entry["default_samplerate"]),
                is_default_input=index == default_input,
                is_default_output=index == default_output,
            )
            for index, entry in enumerate(package.query_devices())
        ]


class Microphone:
    """A source; made by `microphone`."""

    def __init__(self, package: ModuleType, stream: Any) -> None:
        self._package, self._stream = package, stream

    @property
    def latency_ms(self) -> float:
        return 1000.0 * float(self._stream.latency)

    def read(self, samples: int) -> tuple[Floats | None, bool]:
        with _failures_named(self._package):
            block, overflowed = self._stream.read(samples)  # [samples, 1]
        return np.asarray(block[:, 0], np.float32), bool(overflowed)


class Loudspeaker:
    """A sink; made by `loudspeaker`. Every channel plays the same."""

    def __init__(self, package: ModuleType, stream: Any, channels: int, waiting_ms: float) -> None:
        self._package, self._stream = package, stream
        self._channels, self._waiting_ms = channels, waiting_ms

    @property
    def latency_ms(self) -> float:
        return 1000.0 * float(self._stream.latency) + self._waiting_ms

    def write(self, samples: Floats) -> bool:
        block = np.repeat(samples[:, np.newaxis], self._channels, axis=1)  # [samples, channels]
        with _failures_named(self._package):
            return bool(self._stream.write(np.clip(block, -1.0, 1.0)))


@contextmanager
def microphone(
    device: int | str | None, sample_rate: int, hop: int, latency: str = "low"
) -> Iterator[Microphone]:
    """Open an input device, its first channel, until the context ends.

    Args:
        device: index, a part of its name, or None for the default one.
        sample_rate: Hz.
        hop: samples per block.
        latency: "low" or "high", of the devices; PortAudio knows what each means for them.

    Raises:
        MissingPackageError: see `import_sounddevice`.
        AudioError: no such device, or it refuses the sample rate.
    """
    package = import_sounddevice()
    with ExitStack() as opened:
        with _failures_named(package):
            stream = package.InputStream(
                device=device,
                samplerate=sample_rate,
                blocksize=hop,
                channels=1,
                dtype="float32",
                latency=latency,
            )
            opened.enter_context(stream)
        yield Microphone(package, stream)


@contextmanager
def loudspeaker(
    device: int | str | None, sample_rate: int, hop: int, latency: str = "low"
) -> Iterator[Loudspeaker]:
    """Open an output device, at most two of its channels, until the context ends.

    Args, Raises: as `microphone`.
    """
    package = import_sounddevice()
    with ExitStack() as opened:
        with _failures_named(package):
            found = package.query_devices(device, "output")
            channels = min(2, int(found["max_output_channels"]))
            stream = package.OutputStream(
                device=device,
                samplerate=sample_rate,
                blocksize=hop,
                channels=channels,
                dtype="float32",
                latency=latency,
            )
            opened.enter_context(stream)
        waiting = _WAITING_HOPS * hop
        sink = Loudspeaker(package, stream, channels, 1000.0 * waiting / sample_rate)
        sink.write(np.zeros(waiting, np.float32))
        yield sink


@contextmanager
def _failures_named(package: ModuleType) -> Iterator[None]:
    """Turn PortAudio's complaints, and sounddevice's about a name, into an AudioError."""
    try:
        yield
    except (package.PortAudioError, ValueError) as error:
        raise AudioError(
            f"The sound card cannot be used: {error}. See `tfkd live --list-devices`; where a "
            f"device refuses the sample rate, choose one that converts, such as default or pulse."
        ) from error
