"""What becomes of input that no score covers: clean, silent, quiet, loud; music and babble alone.

Everything runs as on the chip: int8 on TFLite Micro, with the front end around it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tfkd import audio, metrics
from tfkd.engines.engine import Engine
from tfkd.enhance import enhance
from tfkd.evaluate import Pair

Floats = NDArray[np.float32]

QUIET_DBFS = -60.0
OVERDRIVE_DB = 12.0
BABBLE_VOICES = 6
NOISE_SECONDS = 30.0
SETTLED = metrics.SAMPLE_RATE  # samples after which a level is taken


class Watched:
    """Enhances, and remembers what no output may show."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.samples = 0
        self.not_finite = 0
        self.beyond_full_scale = 0

    def __call__(self, noisy: Floats) -> Floats:
        enhanced = enhance(self.engine, noisy.astype(np.float32))
        self.samples += len(enhanced)
        self.not_finite += int(np.count_nonzero(~np.isfinite(enhanced)))
        self.beyond_full_scale += int(np.count_nonzero(np.abs(enhanced) > 1.0))
        return enhanced


def behaviour(engine: Engine, pairs: Sequence[Pair], music: Sequence[Path]) -> dict[str, Any]:
    """Measure it.

    Args:
        engine: int8 on TFLite Micro.
        pairs: noisy and clean recordings.
        music: recordings of music without speech.
    """
    run = Watched(engine)
    clean_pesq, loud_peaks, loud_gains, quiet_gains, voices = [], [], [], [], []
    for pair in pairs:
        speech = audio.read_mono(pair.clean, metrics.SAMPLE_RATE)
        noisy = audio.read_mono(pair.noisy, metrics.SAMPLE_RATE)
        before = metrics.si_sdr(speech, noisy)
        clean_pesq.append(metrics.pesq_wb(speech, run(speech)))
        full_scale = noisy / np.max(np.abs(noisy))
        loud_peaks.append(np.max(np.abs(run(full_scale))))
        clipped = np.clip(full_scale * decibels(OVERDRIVE_DB), -1.0, 1.0)
        loud_gains.append(metrics.si_sdr(speech, run(clipped)) - metrics.si_sdr(speech, clipped))
        quiet = noisy * decibels(QUIET_DBFS) / rms(noisy)
        quiet_gains.append(metrics.si_sdr(speech, run(quiet)) - before)
        voices.append(speech / rms(speech))
    noise = np.random.default_rng(0).normal(0.0, 0.05, round(NOISE_SECONDS * metrics.SAMPLE_RATE))
    started = time.process_time()
    filtered = run(noise)
    real_time_factor = (time.process_time() - started) / NOISE_SECONDS
    silence = run(np.zeros(metrics.SAMPLE_RATE))
    return {
        "files": len(pairs),
        "clean_pesq_mean": float(np.nanmean(clean_pesq)),
        "clean_pesq_least": float(np.nanmin(clean_pesq)),
        "silence_peak": float(np.max(np.abs(silence))),
        "white_noise_db": change_db(noise[SETTLED:], filtered[SETTLED:]),
        "loud_peak": float(np.max(loud_peaks)),
        "clipped_si_sdr_gain_db": float(np.mean(loud_gains)),
        "quiet_si_sdr_gain_db": float(np.mean(quiet_gains)),
        "babble_db": [change_db(crowd, run(crowd)) for crowd in crowds(voices)],
        "music_db": [
            change_db(piece, run(piece))
            for path in music
            for piece in [audio.read_mono(path, metrics.SAMPLE_RATE)]
        ],
        "real_time_factor": real_time_factor,
        "samples": run.samples,
        "samples_not_finite": run.not_finite,
        "samples_beyond_full_scale": run.beyond_full_scale,
    }


def crowds(voices: Sequence[Floats]) -> list[Floats]:
    """Babble without anyone in front: so many voices at a time, equally loud, at -26 dBFS."""
    result = []
    for first in range(0, len(voices) - BABBLE_VOICES + 1, BABBLE_VOICES):
        group = voices[first : first + BABBLE_VOICES]
        length = min(map(len, group))
        crowd = np.sum([voice[:length] for voice in group], axis=0)
        result.append(crowd * decibels(-26.0) / rms(crowd))
    return result


def change_db(before: Floats, after: Floats) -> float:
    return float(20.0 * np.log10(rms(after) / rms(before)))


def decibels(level: float) -> float:
    return float(10.0 ** (level / 20.0))


def rms(waveform: Floats) -> float:
    return float(np.sqrt(np.mean(np.square(waveform, dtype=np.float64))) + 1e-12)
