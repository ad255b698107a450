"""The demo corpus: synthesised speech from the package, procedural noise made on first use."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tfkd import audio
from tfkd.data import demo_noise
from tfkd.data.demo_noise import FAMILIES, SAMPLE_RATE
from tfkd.errors import CorpusError

SPEECH = Path(__file__).parent.parent / "assets" / "demo"
SPLITS = {"train": (3, 15.0), "valid": (1, 10.0)}  # recordings per family, seconds of each
PAIR_SNR_DB = (0, 5, 10, 15)
_ACTIVE_RANGE_DB = 35.0


@dataclass(frozen=True)
class DemoCorpus:
    """Folders, as `tfkd train` and `tfkd evaluate` take them."""

    speech: Path
    noise: Path
    noisy: Path
    clean: Path


def demo_corpus(folder: Path | None = None) -> DemoCorpus:
    """Make the demo corpus, or find it where an earlier call made it.

    The speech (16 + 3 synthetic voices to train and validate with) is read where the package
    lies. Noise and the held-out pairs (4 further voices, noise of other seeds) are written once.

    Args:
        folder: where noise and pairs go; default: the user's cache.

    Raises:
        CorpusError: the folder cannot be written to, or holds something else.
    """
    folder = _cache_folder() if folder is None else Path(folder)
    if not _is_complete(folder):
        if folder.is_dir() and any(folder.iterdir()):
            raise CorpusError(
                f"{folder}: holds something else than the demo corpus. Expected a new or an empty "
                f"folder."
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            building = Path(tempfile.mkdtemp(prefix=".demo-", dir=folder.parent))
            try:
                _write_noise(building / "noise")
                _write_pairs(building / "pairs")
                _publish(building, folder)
            finally:
                shutil.rmtree(building, ignore_errors=True)
        except OSError as error:
            raise CorpusError(
                f"{folder}: the demo corpus cannot be written ({error.strerror or error}). "
                f"It needs about 20 MB; free some space or set XDG_CACHE_HOME to another folder."
            ) from error
    pairs = folder / "pairs"
    return DemoCorpus(SPEECH / "speech", folder / "noise", pairs / "noisy", pairs / "clean")


def active_power(speech: NDArray[np.float32]) -> float:
    """Mean power of the 20 ms frames within 35 dB of the 95th-percentile frame."""
    frame = SAMPLE_RATE // 50
    frames = speech[: len(speech) // frame * frame].reshape(-1, frame)  # [frames, samples]
    power = np.mean(np.square(frames, dtype=np.float64), axis=1)
    threshold = np.percentile(power, 95) * 10.0 ** (-_ACTIVE_RANGE_DB / 10.0)
    return float(power[power >= threshold].mean())


def _cache_folder() -> Path:
    """One folder per version of the code that makes the corpus."""
    code = hashlib.sha256()
    for source in (__file__, demo_noise.__file__):
        code.update(Path(source).read_bytes())
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache, "tfkd", f"demo-{code.hexdigest()[:8]}")


def _is_complete(folder: Path) -> bool:
    return (folder / "noise").is_dir() and (folder / "pairs").is_dir()


def _publish(building: Path, folder: Path) -> None:
    """Rename into place; a second process that was faster has made the same files."""
    building.chmod(0o755)
    try:
        building.rename(folder)
    except OSError:
        if not _is_complete(folder):
            raise


def _write_noise(folder: Path) -> None:
    for place, family in enumerate(FAMILIES):
        for split, (recordings, seconds) in SPLITS.items():
            for count in range(recordings):
                seed = 1000 * place + 100 * (split == "valid") + count
                samples = demo_noise.noise(family, seed, seconds)
                audio.write(folder / split / f"{family}_{count}.flac", samples, SAMPLE_RATE)


def _write_pairs(folder: Path) -> None:
    """Held-out voices, each clip with the next noise family and SNR; names carry the SNR in dB."""
    families = list(FAMILIES)
    for count, path in enumerate(sorted((SPEECH / "held_out").rglob("*.ogg"))):
        rng = np.random.default_rng(count)
        clean = audio.read_mono(path, SAMPLE_RATE)
        clean *= np.sqrt(10.0 ** (rng.uniform(-32.0, -22.0) / 10.0) / active_power(clean))
        snr_db = PAIR_SNR_DB[count % len(PAIR_SNR_DB)]
        family = families[(5 * count) % len(families)]
        noise = demo_noise.noise(family, 50_000 + count, len(clean) / SAMPLE_RATE)
        noise *= np.sqrt(active_power(clean) / np.mean(noise**2) / 10.0 ** (snr_db / 10.0))
        noisy = clean + noise
        gain = min(1.0, 0.95 / np.abs(noisy).max())
        name = f"snr{snr_db:02}_{count:04}.wav"
        audio.write(folder / "clean" / name, gain * clean, SAMPLE_RATE)
        audio.write(folder / "noisy" / name, gain * noisy, SAMPLE_RATE)
