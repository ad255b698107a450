"""scripts/release/changed_input.py: what each change of the input does to the score."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tfkd.data.demo import demo_corpus
from tfkd.engines.host_library import find_compiler

SCRIPT = Path(__file__).parent.parent / "scripts" / "release" / "changed_input.py"


@pytest.mark.skipif(find_compiler() is None, reason="no C compiler")
@pytest.mark.parametrize("metric", ["pesq_wb", "estoi"])
def test_every_change_is_scored(tmp_path, monkeypatch, metric):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pairs = demo_corpus()
    for folder in (pairs.noisy, pairs.clean):
        (tmp_path / folder.name).mkdir()
        for name in ("snr05_0001.wav", "snr10_0002.wav"):
            (tmp_path / folder.name / name).symlink_to(folder / name)
    options = ["--noisy", tmp_path / pairs.noisy.name, "--clean", tmp_path / pairs.clean.name]
    options += ["--metric", metric]
    done = subprocess.run(
        [sys.executable, SCRIPT, "tiny", *options], capture_output=True, text=True, check=True
    )
    head, _, *rows = [line.strip("| ").split(" | ") for line in done.stdout.splitlines()]
    assert head == ["input", "noisy", "changed after", "changed before", "difference"]
    scores = {name: [float(cell) for cell in cells[:3]] for name, *cells in rows}
    assert len(scores) == 6
    # Both metrics level their input, so a level changes nothing after the denoiser
    quiet, quieter = scores["20 dB quieter"], scores["40 dB quieter"]
    assert quiet[:2] == pytest.approx(quieter[:2], abs=0.01)
    assert all(after > noisy for noisy, after, _ in scores.values())
    assert all((value > 1.0) == (metric == "pesq_wb") for value in sum(scores.values(), []))
    for name, *cells in rows:
        _, after, before = scores[name]
        difference = float(cells[3].partition(" +- ")[0])
        assert difference == pytest.approx(before - after, abs=0.0011)  # both are rounded


def test_a_mistake_is_no_traceback(tmp_path):
    options = ["--noisy", tmp_path / "none", "--clean", tmp_path]
    done = subprocess.run(
        [sys.executable, SCRIPT, "tiny", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1 and done.stderr.startswith("Error: ")


def test_the_float_model_is_that_of_a_run(tmp_path):
    options = ["--engine", "keras", "--noisy", tmp_path, "--clean", tmp_path]
    done = subprocess.run(
        [sys.executable, SCRIPT, "tiny", *options], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "tiny: is no run directory, and the engine keras computes the float model" in done.stderr
