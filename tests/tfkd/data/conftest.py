"""A small corpus of speech-like and noise recordings for the tests of the data pipeline."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16000


def speech_like(seconds: float, pitch_hz: float) -> np.ndarray:
    """Harmonics switched on and off twice a second."""
    time = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * pitch_hz * k * time) / k for k in range(1, 15))
    return 0.1 * tones * (np.sin(2 * np.pi * 2.0 * time) > 0)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders speech/, noise/ and rir/ with train and valid; six speakers to train with."""
    root = tmp_path_factory.mktemp("corpus")
    generator = np.random.default_rng(0)
    for split, speakers in (("train", 6), ("valid", 4)):
        for index in range(speakers):
            folder = root / "speech" / split / f"speaker{index}"
            folder.mkdir(parents=True)
            waveform = speech_like(2.0, 100.0 + 20 * index)
            soundfile.write(folder / "a.flac", waveform, RATE)
        for index in range(3):
            folder = root / "noise" / split
            folder.mkdir(parents=True, exist_ok=True)
            waveform = 0.05 * generator.standard_normal(round((0.4 + index) * RATE))
            soundfile.write(folder / f"{index}.wav", waveform, RATE)
        folder = root / "rir" / split
        folder.mkdir(parents=True)
        decay = np.exp(-np.arange(3200) / 400.0)
        response = 0.1 * generator.standard_normal(3200) * decay
        response[40] = 0.9
        soundfile.write(folder / "room.wav", response, RATE)
    return root
