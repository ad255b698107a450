"""Which recordings a configuration names: speech and noise to mix, pairs, or the demo corpus.

TensorFlow-free, so that a mistake is told before anything is loaded or written.
"""

from __future__ import annotations

from pathlib import Path

from tfkd.config import DataConfig
from tfkd.data.corpus import find_recordings
from tfkd.errors import ConfigError

KEYS = ("speech", "noise", "noisy", "clean", "rir")


def check_sources(data: DataConfig) -> bool:
    """Whether any recordings are named; without them the demo corpus is used.

    Raises:
        ConfigError: one half of a pair is missing, or there are folders to mix and pairs.
    """
    if bool(data.speech) != bool(data.noise) or bool(data.noisy) != bool(data.clean):
        raise ConfigError(
            "Give folders of both speech and noise, or of both noisy and clean recordings. "
            f"Received: speech={data.speech}, noise={data.noise}, noisy={data.noisy}, "
            f"clean={data.clean}."
        )
    if data.noisy and data.speech:
        raise ConfigError("Give either speech and noise to mix, or noisy and clean pairs.")
    return bool(data.speech or data.noisy)


def check_folders(data: DataConfig) -> None:
    """Look for recordings in every folder that is named, by their names alone.

    Raises:
        CorpusError: a folder is missing, a file, or holds no recordings.
    """
    for key in KEYS:
        if folder := getattr(data, key):
            find_recordings(Path(folder))
