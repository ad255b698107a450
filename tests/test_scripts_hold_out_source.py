"""scripts/hold_out_source.py: which files are linked, and what the pairs are made of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

REPOSITORY = Path(__file__).parent.parent
RATE = 16000


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Two sources of speech and of noise, told apart by their level alone."""
    rng = np.random.default_rng(0)
    for kind, sources in (("speech", ("near", "far")), ("noise", ("street", "kitchen"))):
        for source in sources:
            for split in ("train", "valid", "test"):
                path = tmp_path / "data" / kind / split / f"{source}_{split}.flac"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, rng.normal(0.0, 0.05, 2 * RATE), RATE)
    return tmp_path / "data"


def hold_out(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "scripts/hold_out_source.py", *map(str, arguments)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )


def split_off(corpus: Path, destination: Path) -> None:
    options = ("--speech", "far", "--noise", "kitchen", "--pairs", "5", "--seconds", "1")
    done = hold_out(corpus, destination, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{destination}: 5 pairs of 2 x 2 recordings\n"


def linked(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.flac"))


def test_the_other_sources_are_linked_without_their_test_split(corpus, tmp_path):
    split_off(corpus, tmp_path / "out")
    assert linked(tmp_path / "out") == [
        "noise/train/street_train.flac",
        "noise/valid/street_valid.flac",
        "speech/train/near_train.flac",
        "speech/valid/near_valid.flac",
    ]
    link = tmp_path / "out" / "speech" / "train" / "near_train.flac"
    assert link.resolve() == corpus / "speech" / "train" / "near_train.flac"


def test_pairs_have_the_snr_of_their_name(corpus, tmp_path):
    split_off(corpus, tmp_path / "out")
    folder = tmp_path / "out" / "pairs"
    names = sorted(path.name for path in (folder / "noisy").iterdir())
    expected = {"0000_snrm05": -5, "0001_snr00": 0, "0002_snr05": 5}
    expected |= {"0003_snr10": 10, "0004_snr15": 15}
    assert names == [f"{name}.wav" for name in expected]
    for name, snr_db in expected.items():
        noisy, clean = (
            soundfile.read(folder / kind / f"{name}.wav")[0] for kind in ("noisy", "clean")
        )
        assert len(noisy) == len(clean) == RATE
        assert np.abs(noisy).max() <= 0.951
        noise = noisy - clean
        # Every frame of white noise is active, so the active level is the level.
        measured = 10.0 * np.log10(np.mean(clean**2) / np.mean(noise**2))
        assert measured == pytest.approx(snr_db, abs=0.1)


def test_the_same_arguments_make_the_same_pairs(corpus, tmp_path):
    split_off(corpus, tmp_path / "one")
    split_off(corpus, tmp_path / "two")
    for path in (tmp_path / "one" / "pairs").rglob("*.wav"):
        other = tmp_path / "two" / path.relative_to(tmp_path / "one")
        assert path.read_bytes() == other.read_bytes()


def test_an_existing_folder_is_left_alone(corpus, tmp_path):
    (tmp_path / "out").mkdir()
    done = hold_out(corpus, tmp_path / "out", "--speech", "far", "--noise", "kitchen")
    assert done.returncode == 2
    assert "exists. Name a new folder." in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_an_unknown_source_is_refused(corpus, tmp_path):
    done = hold_out(corpus, tmp_path / "out", "--speech", "farther", "--noise", "kitchen")
    assert done.returncode == 2
    assert "no file of the named sources was found" in done.stderr
    assert not (tmp_path / "out").exists()
