"""A stand-in for the package sounddevice: the same names and arguments, two devices of our own."""

from __future__ import annotations

import ast
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np

_SPEC = find_spec("sounddevice")
_SOURCE = _SPEC.origin if _SPEC else None


class PortAudioError(Exception):
    """As in sounddevice."""


DEVICES = [
    {"name": "Mic", "max_input_channels": 2, "max_output_channels": 0, "default_samplerate": 48e3},
    {"name": "Out", "max_input_channels": 0, "max_output_channels": 8, "default_samplerate": 48e3},
]


def real_arguments(name: str) -> set[str]:
    """Arguments of a stream's constructor, read in the source: the import needs PortAudio."""
    for node in ast.parse(Path(_SOURCE).read_text()).body if _SOURCE else ():
        if isinstance(node, ast.ClassDef) and node.name == name:
            functions = (part for part in node.body if isinstance(part, ast.FunctionDef))
            constructor = next(part for part in functions if part.name == "__init__")
            return {argument.arg for argument in constructor.args.args} - {"self"}
    raise LookupError(name)


class _Stream:
    latency = 0.01
    busy = False

    def __init__(self, **arguments: object) -> None:
        unknown = set(arguments) - real_arguments(type(self).__name__)
        if unknown:
            raise TypeError(f"sounddevice.{type(self).__name__} has no {unknown}")
        if arguments["samplerate"] != 16000:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")
        if isinstance(arguments["device"], str) and arguments["device"] not in ("Mic", "Out"):
            raise ValueError(f"No device matching {arguments['device']!r}")
        self.arguments = arguments
        self.is_open = False

    def __enter__(self) -> _Stream:
        if self.busy:
            raise PortAudioError("Device unavailable [PaErrorCode -9985]")
        self.is_open = True
        return self

    def __exit__(self, *error: object) -> None:
        self.is_open = False


class FakeSounddevice(SimpleNamespace):
    """Set as `sys.modules["sounddevice"]`.

    Args:
        noisy: what the microphone hears, [samples]; it is unplugged after it.
    """

    def __init__(self, noisy: np.ndarray) -> None:
        heard: list[np.ndarray] = []
        position = 0

        class InputStream(_Stream):
            def read(self, frames: int) -> tuple[np.ndarray, bool]:
                nonlocal position
                block = noisy[position : position + frames]
                position += frames
                if len(block) < frames:
                    raise PortAudioError("Device unavailable [PaErrorCode -9985]")
                return block[:, np.newaxis], position == 3 * frames

        class OutputStream(_Stream):
            def write(self, data: np.ndarray) -> bool:
                heard.append(data)
                return len(heard) == 2

        def query_devices(device: int | str | None = None, kind: str | None = None):
            if kind is None:
                return DEVICES
            if device == 7:
                raise PortAudioError("Error querying device 7")
            return DEVICES[1]

        super().__init__(
            heard=heard,
            InputStream=InputStream,
            OutputStream=OutputStream,
            PortAudioError=PortAudioError,
            query_devices=query_devices,
            default=SimpleNamespace(device=[0, 1]),
        )
