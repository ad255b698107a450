"""A folder as scripts/release reads it: recordings, pairs, manifest.csv; seconds of each."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import soundfile

from tfkd.audio import read_mono
from tfkd.data.demo import SPEECH
from tfkd.data.demo_noise import noise

RATE = 16000
SECONDS = 2.0
VOICES = 3  # of each split
COLUMNS = ("path", "split", "kind", "speaker_or_class", "source", "licence", "attribution")
LICENCE = "free for commercial and non-commercial use (CC BY 4.0)"
PAIRS = ((5, "babble"), (5, "fan"), (5, "music"), (-5, "babble"), (-5, "fan"), (-5, "fan"))


def release_corpus(folder: Path, licence: str = LICENCE) -> Path:
    """Write speech/, noise/, pairs/valid/ and manifest.csv: the demo's voices, computed noise."""
    rows = [COLUMNS]

    def write(path: str, samples: np.ndarray, kind: str, name: str) -> None:
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(target, samples, RATE)
        split = "train" if "/train/" in path else "valid"
        rows.append((path, split, kind, name, f"demo {kind}", licence, f"tfkd; {name}"))

    for split in ("train", "valid"):
        for place, path in enumerate(sorted((SPEECH / "speech" / split).glob("*/00.ogg"))[:VOICES]):
            voice = read_mono(path, RATE)[: round(SECONDS * RATE)]
            write(f"speech/{split}/{place}.flac", voice, "speech", f"{split}-{place}")
        for seed, name in enumerate(("fan", "music")):
            write(f"noise/{split}/{name}_0.flac", noise("fan", seed, SECONDS), "noise", name)
    for index, (snr_db, kind) in enumerate(PAIRS):
        voice = index % VOICES
        clean = read_mono(folder / f"speech/valid/{voice}.flac", RATE)
        disturbance = noise("fan", 7 + index, SECONDS)[: len(clean)]
        disturbance *= np.sqrt(np.mean(clean**2) / np.mean(disturbance**2)) / 10 ** (snr_db / 20)
        name = f"{index}_snr{'m' if snr_db < 0 else ''}{abs(snr_db):02d}.wav"
        write(f"pairs/valid/clean/{name}", 0.2 * clean, "pair-clean", f"valid-{voice}")
        noisy = 0.2 * (clean + disturbance)
        write(f"pairs/valid/noisy/{name}", noisy, "pair-noisy", f"valid-{voice}+{kind}")
    with (folder / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return folder
