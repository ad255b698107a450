"""The exceptions of tfkd.

TfkdError                 exit code 1: the user can do something about it
|-- ConfigError           a configuration key or value is wrong
|-- CorpusError           folders of recordings are missing, empty or unusable
|-- AudioError            one recording cannot be read or written
|-- DownloadError         a file cannot be fetched from the network
|-- RunError              a run directory is missing, incomplete or of another version
|-- ModelError            a model file or preset cannot be used
|   `-- NoFrontEndError   a .tflite that tfkd did not make
|-- MissingPackageError   an optional package is not installed
`-- CheckFailed           exit code 3: the work was done and a check on its result failed
    |-- ConversionError   the converted graph is not what TFLite Micro can run
    `-- VerificationError two engines disagree

Messages say what was wrong, what was expected, what came, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class TfkdError(Exception):
    """Base of every error that a user can act on."""

    exit_code = 1


class ConfigError(TfkdError):
    """A configuration key or value is wrong."""


class CorpusError(TfkdError):
    """A corpus folder is missing, empty or unusable."""


class AudioError(TfkdError):
    """A recording cannot be read or written."""


class DownloadError(TfkdError):
    """A file cannot be fetched from the network."""


class RunError(TfkdError):
    """A run directory is missing, incomplete or of another version."""


class ModelError(TfkdError):
    """A model file or preset cannot be used."""


class NoFrontEndError(ModelError):
    """A .tflite carries no description of a front end: tfkd did not make it."""


class MissingPackageError(TfkdError):
    """An optional package is not installed."""


class CheckFailed(TfkdError):
    """The work was done and a check on its result failed."""

    exit_code = 3


class ConversionError(CheckFailed):
    """The converted graph is not what TFLite Micro can run."""


class VerificationError(CheckFailed):
    """Two engines that must agree do not."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the closest of `choices`, or an empty string."""
    found = get_close_matches(word, list(choices), n=1, cutoff=0.5)
    return f" Did you mean '{found[0]}'?" if found else ""
