#!/usr/bin/env python
"""Split a corpus for a leave-one-source-out run: train without some sources, score on them.

    scripts/hold_out_source.py DATA DEST --speech speechocean762 --noise olpc --noise tumult

DATA holds speech/ and noise/, each with train/ and valid/, of files named SOURCE_....flac. DEST
gets links to the files of the other sources (speech/, noise/, to train on) and pairs of held-out
speech and held-out noise (pairs/noisy, pairs/clean, named ..._snr05.wav) at -5 to 15 dB, the same
ones whenever the arguments are the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from tfkd import audio

SAMPLE_RATE = 16000
SNRS_DB = (-5, 0, 5, 10, 15)
SPEECH_DBFS = (-36.0, -24.0)
PEAK = 0.95


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("destination", type=Path)
    parser.add_argument("--speech", action="append", default=[], metavar="SOURCE")
    parser.add_argument("--noise", action="append", default=[], metavar="SOURCE")
    parser.add_argument("--pairs", type=int, default=60)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    data, destination = arguments.data.resolve(), arguments.destination
    if destination.exists():
        parser.error(f"{destination} exists. Name a new folder.")
    speech, noise = (
        held_out_files(data / kind, sources)
        for kind, sources in (("speech", arguments.speech), ("noise", arguments.noise))
    )
    if not speech or not noise:
        parser.error("no file of the named sources was found. Expected SOURCE_....flac.")
    for kind, held_out in (("speech", speech), ("noise", noise)):
        link_others(data / kind, destination / kind, held_out)
    rng = np.random.default_rng(arguments.seed)
    samples = round(arguments.seconds * SAMPLE_RATE)
    for index in range(arguments.pairs):
        snr_db = SNRS_DB[index % len(SNRS_DB)]
        clean = excerpt(speech[rng.integers(len(speech))], samples, rng)
        disturbance = excerpt(noise[rng.integers(len(noise))], samples, rng)
        clean *= 10.0 ** (rng.uniform(*SPEECH_DBFS) / 20.0) / active_rms(clean)
        target = active_rms(clean) * 10.0 ** (-snr_db / 20.0)
        noisy = clean + disturbance * (target / np.sqrt(np.mean(np.square(disturbance)) + 1e-12))
        gain = min(1.0, PEAK / float(np.max(np.abs(noisy))))
        name = f"{index:04d}_snr{'m' if snr_db < 0 else ''}{abs(snr_db):02d}.wav"
        for kind, signal in (("noisy", noisy), ("clean", clean)):
            audio.write(destination / "pairs" / kind / name, gain * signal, SAMPLE_RATE)
    print(f"{destination}: {arguments.pairs} pairs of {len(speech)} x {len(noise)} recordings")


def held_out_files(folder: Path, sources: list[str]) -> list[Path]:
    """The files of some sources, those to test with left out."""
    return [
        path
        for path in corpus_files(folder)
        if path.name.startswith(tuple(f"{source}_" for source in sources))
    ]


def link_others(folder: Path, destination: Path, held_out: list[Path]) -> None:
    """Link all files but the held-out ones."""
    for path in corpus_files(folder):
        if path not in held_out:
            link = destination / path.parent.name / path.name
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path)


def corpus_files(folder: Path) -> list[Path]:
    """Everything to train and validate with."""
    return [path for path in sorted(folder.glob("*/*.flac")) if path.parent.name != "test"]


def excerpt(path: Path, samples: int, rng: np.random.Generator) -> np.ndarray:
    """A random part of a recording, which is repeated if it is shorter."""
    waveform = audio.read_mono(path, SAMPLE_RATE)
    if len(waveform) < samples:
        waveform = np.tile(waveform, -(-samples // len(waveform)))
    start = rng.integers(len(waveform) - samples + 1)
    return waveform[start : start + samples].astype(np.float64)


def active_rms(waveform: np.ndarray) -> float:
    """Root mean square of the 20 ms frames within 35 dB of the 95th percentile."""
    frames = waveform[: len(waveform) // 320 * 320].reshape(-1, 320)
    power = np.mean(np.square(frames), axis=1)
    active = power > np.percentile(power, 95) * 10.0**-3.5
    return float(np.sqrt(np.mean(power[active]) + 1e-12))


if __name__ == "__main__":
    main()
