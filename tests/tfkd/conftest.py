"""What the tests of tfkd share: a tiny streaming model and recordings that need no corpus."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from gate_model import gate_model
from small_model import SMALL_MODEL as SMALL_MODEL

RATE = 16000
SMALL_RUN = [
    *("--student", "micro", "--method", "none", "--steps", "2"),
    *(
        word
        for setting in (
            *SMALL_MODEL,
            "train.epoch_steps=2",
            "train.batch=1",
            "data.valid_examples=1",
            "data.segment_s=0.5",
            "quantize.steps=0",
            "quantize.calibration_batches=2",
        )
        for word in ("--set", setting)
    ),
]
"""Options of `tfkd train` for a run of seconds: a smallest model, two steps."""


@pytest.fixture(scope="session")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A streaming int8 model of a few hundred bytes."""
    path = tmp_path_factory.mktemp("gate") / "model.tflite"
    path.write_bytes(gate_model())
    return path


@pytest.fixture(scope="session")
def deployed():
    """The deployed form of a smallest DAE, with FRAMES frames; not to be changed."""
    from small_dae import FRAMES, deployed_dae

    return deployed_dae(FRAMES)


@pytest.fixture(scope="session")
def quantized(deployed):
    """Its quantisation-aware form, calibrated; not to be changed."""
    from small_dae import quantized_dae

    return quantized_dae(deployed)


def voice(seconds: float = 1.5, rate: int = RATE, channels: int = 1) -> np.ndarray:
    """Harmonics switched at a syllable's pace, [samples, channels]; below full scale."""
    time = np.arange(round(seconds * rate)) / rate
    harmonics = [np.sin(2 * np.pi * 130 * k * time) / k for k in range(1, 20)]
    syllables = np.clip(4 * np.sin(2 * np.pi * 2.0 * time), 0, 1)
    signal = 0.2 * syllables * np.sum(harmonics, axis=0)
    return np.stack([signal / (c + 1) for c in range(channels)], axis=1).astype(np.float32)


def noisy_voice(seconds: float = 1.5, snr_db: float = 10.0, seed: int = 0) -> np.ndarray:
    """`voice` in white noise, [samples, 1]."""
    clean = voice(seconds)
    noise = np.random.default_rng(seed).standard_normal(clean.shape)
    gain = np.sqrt(np.mean(clean**2) / 10 ** (snr_db / 10))
    return (clean + gain * noise).astype(np.float32)


@pytest.fixture
def pair_folders(tmp_path: Path) -> tuple[Path, Path]:
    """Folders noisy/ and clean/ with four pairs at two SNRs, named as SNRs are read."""
    noisy, clean = tmp_path / "noisy", tmp_path / "clean"
    for folder in (noisy, clean):
        folder.mkdir()
    for seed, (name, snr_db) in enumerate(
        [("a_snrm05_1", -5), ("b_snrm05_2", -5), ("c_snr10_1", 10), ("d_snr10_2", 10)]
    ):
        soundfile.write(noisy / f"{name}.flac", noisy_voice(1.5, snr_db, seed), RATE)
        soundfile.write(clean / f"{name}.wav", voice(1.5), RATE)
    return noisy, clean


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Options of `tfkd train` for a handful of short recordings."""
    folder = tmp_path_factory.mktemp("corpus")
    for kind, make in (("speech", voice), ("noise", noisy_voice)):
        for name in ("train/a/1", "train/b/1", "valid/c/1", "valid/d/1"):
            path = folder / kind / f"{name}.wav"
            path.parent.mkdir(parents=True)
            soundfile.write(path, make(1.0), RATE)
    return ["--speech", str(folder / "speech"), "--noise", str(folder / "noise")]


@pytest.fixture
def run_tfkd():
    """Call the command line in this process: run_tfkd("denoise", ...) -> click's Result."""
    from tfkd.cli import main

    return lambda *args: CliRunner().invoke(main, [str(arg) for arg in args])
