#!/usr/bin/env python
"""What quiet or band-limited input costs a denoiser: its score with and without each change.

    scripts/release/changed_input.py tiny --noisy pairs/valid/noisy --clean pairs/valid/clean

Prints a Markdown table. A linear change that the denoiser does not mind can come before or after
it, so its output for changed input is compared with the same change of its output for the input as
it is; the reference is the clean recording, changed too. The model runs int8, as exported C;
with --engine keras the float model of a run does, a teacher's too.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import soxr
from numpy.typing import NDArray
from scipy import signal

from tfkd import audio, metrics
from tfkd.engines.choice import ENGINES, engine_factory
from tfkd.engines.engine import Engine
from tfkd.enhance import enhance
from tfkd.errors import TfkdError
from tfkd.evaluate import Pair, find_pairs

Floats = NDArray[np.float32]
Costs = dict[str, dict[str, float]]
Score = Callable[[Floats, Floats], float]
RATE = metrics.SAMPLE_RATE
SCORES: dict[str, Score] = {"pesq_wb": metrics.pesq_wb, "estoi": metrics.estoi}
TAPS = 1023


def resampled(waveform: Floats) -> Floats:
    """To 48 kHz and back: the resampler cuts just below 8 kHz."""
    return soxr.resample(soxr.resample(waveform, RATE, 48_000), 48_000, RATE)[: len(waveform)]


def scaled(decibels: float) -> Callable[[Floats], Floats]:
    return lambda waveform: waveform * np.float32(10.0 ** (decibels / 20.0))


def filtered(edges_hz: float | list[float], kind: str) -> Callable[[Floats], Floats]:
    taps = signal.firwin(TAPS, edges_hz, fs=RATE, pass_zero=kind)
    return lambda waveform: signal.fftconvolve(waveform, taps, "same").astype(np.float32)


CHANGES = {
    "resampled by way of 48 kHz": resampled,
    "high-pass at 80 Hz": filtered(80.0, "highpass"),
    "high-pass at 300 Hz": filtered(300.0, "highpass"),
    "telephone band, 300-3400 Hz": filtered([300.0, 3400.0], "bandpass"),
    "20 dB quieter": scaled(-20.0),
    "40 dB quieter": scaled(-40.0),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", help="released name, run or .tflite")
    parser.add_argument("--noisy", required=True)
    parser.add_argument("--clean", required=True)
    parser.add_argument("--engine", choices=ENGINES, default="c")
    parser.add_argument("--metric", choices=SCORES, default="pesq_wb")
    arguments = parser.parse_args()
    try:
        engine = engine_factory(arguments.engine, arguments.model)()
        pairs = find_pairs(arguments.noisy, arguments.clean)
        costs = changed_input(engine, pairs, SCORES[arguments.metric])
    except TfkdError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    print("\n".join(table(costs)))
    return 0


def changed_input(engine: Engine, pairs: Sequence[Pair], score: Score = metrics.pesq_wb) -> Costs:
    """Change -> mean score of the noisy input, of a denoiser after which ("after") or before
    which ("before") the input is changed, their difference and its standard error."""
    scores: dict[str, list[list[float]]] = {name: [] for name in CHANGES}
    for pair in pairs:
        noisy, clean = (audio.read_mono(path, RATE) for path in (pair.noisy, pair.clean))
        enhanced = enhance(engine, noisy)
        for name, change in CHANGES.items():
            heard = change(noisy), change(enhanced), enhance(engine, change(noisy))
            reference = change(clean)
            scores[name].append([score(reference, sound) for sound in heard])
    return {name: cost(*np.array(values).T) for name, values in scores.items()}


def cost(
    noisy: NDArray[np.float64], after: NDArray[np.float64], before: NDArray[np.float64]
) -> dict[str, float]:
    """What a change costs, from the scores of each pair."""
    difference = metrics.mean_interval(before - after)
    return {
        "noisy": metrics.mean_interval(noisy).mean,
        "after": metrics.mean_interval(after).mean,
        "before": metrics.mean_interval(before).mean,
        "difference": difference.mean,
        "standard_error": difference.standard_error,
    }


def table(costs: Mapping[str, Mapping[str, float]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [
        "| input | noisy | changed after | changed before | difference |",
        "|---|---|---|---|---|",
    ]
    for name, values in costs.items():
        means = " | ".join(f"{values[key]:.3f}" for key in ("noisy", "after", "before"))
        error = values["standard_error"]
        lines.append(f"| {name} | {means} | {values['difference']:+.3f} +- {error:.3f} |")
    return lines


if __name__ == "__main__":
    raise SystemExit(main())
