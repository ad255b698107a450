"""Prove the exported denoiser: its samples are the desktop's, front end included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tfkd.c_denoiser import c_sources
from tfkd.c_denoiser.library import CDenoiser
from tfkd.engines.choice import int8_engine
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.enhance import Enhancer
from tfkd.errors import VerificationError
from tfkd.frontend import to_int16
from tfkd.verify import ORACLE, speech_like_signal


@dataclass(frozen=True)
class DenoiserComparison:
    """How many int16 samples of the C code differ from the desktop's, and by how much at most."""

    seconds: float
    samples: int
    different: int
    largest: int

    def check(self) -> None:
        """Raise VerificationError unless every sample is equal."""
        if self.different:
            raise VerificationError(
                f"the exported denoiser differs from the desktop in {self.different} of "
                f"{self.samples} samples, by up to {self.largest}. Expected equality: both compute "
                f"float32 in the same order. Is the compiler kept from fusing operations?"
            )


def compare_denoisers(path: str | Path, hops: int, seed: int) -> DenoiserComparison:
    """Run `tfkd_denoise_hop`, compiled for this machine, beside TFLite Micro in the desktop's
    front end.

    Args:
        path: a .tflite with tfkd's metadata.
        hops: consecutive hops of a speech-like signal.
        seed: of the signal.

    Raises:
        MissingPackageError: there is no C compiler, or no TFLite Micro.
        ConversionError: the model has what the C export lacks.
    """
    model = read_streaming_model(path)
    config = model.frontend
    samples = to_int16(speech_like_signal(config, hops * config.hop, seed))
    received = CDenoiser(c_sources(path)).process(samples).astype(np.int32)
    noisy = samples.astype(np.float32) / 32768
    expected = to_int16(Enhancer(int8_engine(ORACLE, model)).process(noisy))
    gap = np.abs(received - expected)
    return DenoiserComparison(
        len(samples) / config.sample_rate, len(samples), int(np.count_nonzero(gap)), int(gap.max())
    )
