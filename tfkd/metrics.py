"""Objective speech quality: PESQ-WB, STOI, ESTOI, SI-SDR, and means with their confidence.

All take (clean, processed) float waveforms [samples] at 16 kHz and return NaN where the measure is
not defined (silence, too little speech); `mean_interval` leaves NaN out and counts it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pesq as itu_pesq
import pystoi
from numpy.typing import NDArray
from scipy import stats

from tfkd.errors import TfkdError

Floats = NDArray[np.float32]

SAMPLE_RATE = 16000  # Hz; wide-band PESQ is defined at this rate only
_MINIMUM_SAMPLES = SAMPLE_RATE // 4  # PESQ refuses signals of less than 1/4 s
PESQ_SAMPLES = 16 * SAMPLE_RATE
"""Longer signals are scored in stretches: PESQ is made for 8 to 30 s, and its code has room for 50
utterances, of 0.35 s and more each with its pause; it crashes beyond."""


def si_sdr(clean: Floats, processed: Floats) -> float:
    """Scale-invariant signal-to-distortion ratio in dB.

    Formula: 10 log10(|a s|^2 / |a s - x|^2), a = <x, s> / |s|^2, after removing both means.
    Source: Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, eq. 5.
    Infinite for a perfect copy, NaN when either signal is constant.
    """
    _same_length(clean, processed)
    s = clean.astype(np.float64) - np.mean(clean, dtype=np.float64)
    x = processed.astype(np.float64) - np.mean(processed, dtype=np.float64)
    energy = float(s @ s)
    if energy == 0.0 or not x.any():
        return math.nan
    target = (float(x @ s) / energy) * s
    residual = target - x
    signal, distortion = float(target @ target), float(residual @ residual)
    if distortion == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / distortion) if signal > 0.0 else -math.inf


def pesq_wb(clean: Floats, processed: Floats) -> float:
    """Wide-band PESQ (ITU-T P.862.2), MOS-LQO from 1.04 to 4.64; NaN without detectable speech.

    Of a signal longer than `PESQ_SAMPLES` the mean over equal stretches that are not, without those
    in which the clean signal has no detectable speech; NaN if the processed signal lacks it in
    another: a mean over the rest would reward it.
    """
    _same_length(clean, processed)
    stretches = -(-len(clean) // PESQ_SAMPLES)
    if stretches > 1:
        scores = []
        for part, other in zip(
            np.array_split(clean, stretches), np.array_split(processed, stretches), strict=True
        ):
            value = pesq_wb(part, other)
            if not (math.isnan(value) and math.isnan(pesq_wb(part, part))):
                scores.append(value)
        return float(np.mean(scores)) if scores else math.nan
    if not _scorable(clean, processed):
        return math.nan
    try:
        return float(itu_pesq.pesq(SAMPLE_RATE, clean, processed, "wb"))
    except (itu_pesq.NoUtterancesError, itu_pesq.BufferTooShortError):
        return math.nan


def stoi(clean: Floats, processed: Floats) -> float:
    """Short-time objective intelligibility (Taal et al., 2011), about 0 to 1; NaN likewise."""
    return _stoi(clean, processed, extended=False)


def estoi(clean: Floats, processed: Floats) -> float:
    """Extended STOI, about 0 to 1 (Jensen and Taal, 2016); NaN as for `pesq_wb`."""
    return _stoi(clean, processed, extended=True)


def _stoi(clean: Floats, processed: Floats, extended: bool) -> float:
    _same_length(clean, processed)
    if not _scorable(clean, processed):
        return math.nan
    with warnings.catch_warnings():
        # pystoi warns, and returns 1e-5, when fewer than 30 frames hold speech.
        warnings.simplefilter("error", RuntimeWarning)
        try:
            return float(pystoi.stoi(clean, processed, SAMPLE_RATE, extended=extended))
        except RuntimeWarning:
            return math.nan


@dataclass(frozen=True)
class Metric:
    """A measure of (clean, processed) waveforms, and how its values are written.

    Args:
        measure: two waveforms [samples] -> value.
        title: its name in a table.
        unit: of its values; empty where they have none.
        digits: after the decimal point.
    """

    measure: Callable[[Floats, Floats], float]
    title: str
    unit: str
    digits: int

    def __call__(self, clean: Floats, processed: Floats) -> float:
        return self.measure(clean, processed)


METRICS = {
    "pesq_wb": Metric(pesq_wb, "PESQ-WB", "MOS-LQO", 3),
    "stoi": Metric(stoi, "STOI", "", 3),
    "estoi": Metric(estoi, "ESTOI", "", 3),
    "si_sdr": Metric(si_sdr, "SI-SDR", "dB", 2),
}


def score(clean: Floats, processed: Floats) -> dict[str, float]:
    """All metrics of one pair, by name."""
    return {name: metric(clean, processed) for name, metric in METRICS.items()}


@dataclass(frozen=True)
class Interval:
    """A mean with the half-width of its 95 % confidence interval (Student's t).

    `standard_error` and `half_width` are NaN for fewer than two values; `undefined` counts the
    values that were left out because they were not finite.
    """

    mean: float
    standard_error: float
    half_width: float
    count: int
    undefined: int


def mean_interval(values: Iterable[float], confidence: float = 0.95) -> Interval:
    """Mean and t-interval of the finite values.

    Formula: mean +- t((1 + confidence) / 2, n - 1) s / sqrt(n).
    """
    everything = np.asarray(list(values), np.float64)
    finite = everything[np.isfinite(everything)]
    count = len(finite)
    undefined = len(everything) - count
    mean = float(finite.mean()) if count else math.nan
    if count < 2:
        return Interval(mean, math.nan, math.nan, count, undefined)
    error = float(finite.std(ddof=1)) / math.sqrt(count)
    quantile = float(stats.t.ppf((1.0 + confidence) / 2.0, count - 1))
    return Interval(mean, error, quantile * error, count, undefined)


def _scorable(clean: Floats, processed: Floats) -> bool:
    return len(clean) >= _MINIMUM_SAMPLES and bool(clean.any()) and bool(processed.any())


def _same_length(clean: Floats, processed: Floats) -> None:
    if clean.shape != processed.shape or clean.ndim != 1:
        raise TfkdError(
            f"metrics compare two mono waveforms of equal length. "
            f"Received shapes {clean.shape} and {processed.shape}."
        )
