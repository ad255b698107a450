"""What the page lets one hear: excerpts of a few pairs, through every system."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tfkd import metrics
from tfkd.engines.engine import Engine
from tfkd.errors import CorpusError
from tfkd.evaluate import NOISY, Pair, read_pair
from tfkd.frontend import band_features, bin_mask, istft, stft

Floats = NDArray[np.float32]

CLEAN = "clean"
COUNT = 4
SECONDS = 6.0
FADE_S = 0.01
PEAK = 0.891  # -1 dB of full scale


@dataclass(frozen=True)
class Example:
    """An excerpt of one pair.

    Args:
        pair: where it comes from.
        start_s: where the excerpt begins.
        gain_db: what all its signals were amplified by, alike.
        signals: noisy, then each system, then clean: [samples] at the metrics' rate.
        masks: system -> mask [frames, bins] in [0, 1].
    """

    pair: Pair
    start_s: float
    gain_db: float
    signals: Mapping[str, Floats]
    masks: Mapping[str, Floats]

    @property
    def seconds(self) -> float:
        return len(self.signals[CLEAN]) / metrics.SAMPLE_RATE


def choose_pairs(pairs: Sequence[Pair], count: int = COUNT) -> list[Pair]:
    """Pairs to listen to: as many SNRs as there are places for, evenly from lowest to highest.

    Where pairs of one SNR lie in a list that is sorted by speaker, other places of the list are
    taken for each SNR, for other speakers. Nothing is chosen by how well it sounds.
    """
    snrs = sorted({pair.snr_db for pair in pairs}, key=lambda snr: (snr is None, snr or 0.0))
    if len(snrs) > count:
        snrs = [snrs[round(i * (len(snrs) - 1) / max(1, count - 1))] for i in range(count)]
    chosen = []
    for i, snr in enumerate(snrs):
        group = [pair for pair in pairs if pair.snr_db == snr]
        places = count * (i + 1) // len(snrs) - count * i // len(snrs)
        at = {(j * len(snrs) + i) * len(group) // (places * len(snrs)) for j in range(places)}
        chosen += [group[index] for index in sorted(at)]
    return chosen


def make_examples(
    pairs: Sequence[Pair],
    engines: Mapping[str, Engine],
    advance: Callable[[float], None] = lambda pairs: None,
) -> list[Example]:
    """Enhance whole recordings and cut the excerpts out of them.

    Args:
        pairs: a few; each becomes one example.
        engines: system name -> engine at the metrics' sample rate.
        advance: is told the number of pairs done since its last call.

    Raises:
        AudioError: a recording is unusable.
        CorpusError: partners differ in length, or a recording is shorter than one hop.
    """
    examples = []
    for pair in pairs:
        examples.append(_example(pair, engines))
        advance(1)
    return examples


def _example(pair: Pair, engines: Mapping[str, Engine]) -> Example:
    clean, noisy = read_pair(pair)
    hop = next(iter(engines.values())).frontend.hop
    if len(noisy) < hop:
        raise CorpusError(f"{pair.noisy}: lasts less than one hop of {hop} samples.")
    signals, masks = {NOISY: noisy}, {}
    for name, engine in engines.items():
        signals[name], masks[name] = _enhance(engine, noisy)
    signals[CLEAN] = clean
    start, hops = _liveliest(clean, hop)
    cut = slice(start * hop, (start + hops) * hop)
    excerpts = {name: signal[cut] for name, signal in signals.items()}
    peak = max(float(np.abs(signal).max()) for signal in excerpts.values())
    gain = PEAK / peak if peak else 1.0
    return Example(
        pair,
        start * hop / metrics.SAMPLE_RATE,
        float(20.0 * np.log10(gain)),
        {name: _faded(signal * np.float32(gain)) for name, signal in excerpts.items()},
        {name: mask[start : start + hops + 1] for name, mask in masks.items()},
    )


def _enhance(engine: Engine, noisy: Floats) -> tuple[Floats, Floats]:
    """Enhanced waveform [samples], as `enhance` gives it, and the mask per bin [frames, bins]."""
    spectra = stft(noisy, engine.frontend)
    engine.reset()
    mask = bin_mask(engine.run(band_features(spectra, engine.frontend)), engine.frontend)
    engine.reset()
    return istft(spectra * mask, len(noisy), engine.frontend), mask


def _liveliest(clean: Floats, hop: int) -> tuple[int, int]:
    """First hop and number of hops of the stretch with the most speech power, of SECONDS."""
    power = np.square(clean[: len(clean) // hop * hop].reshape(-1, hop)).sum(axis=1)  # per hop
    hops = min(len(power), round(SECONDS * metrics.SAMPLE_RATE / hop))
    sums = np.concatenate([[0.0], np.cumsum(power, dtype=np.float64)])
    return int(np.argmax(sums[hops:] - sums[:-hops])), hops


def _faded(signal: Floats) -> Floats:
    """Linear fades at both ends: an excerpt must not begin with a click."""
    length = min(round(FADE_S * metrics.SAMPLE_RATE), len(signal) // 2)
    ramp = np.linspace(0.0, 1.0, length, dtype=np.float32)
    signal = signal.copy()
    signal[:length] *= ramp
    signal[len(signal) - length :] *= ramp[::-1]
    return signal
