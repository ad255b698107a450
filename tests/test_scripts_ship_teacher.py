"""scripts/release/ship_teacher.py: the same model with rounded weights, and no folders named."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_model import SMALL_MODEL

from tfkd.config_file import load_config, read_config
from tfkd.train.run_directory import RunDirectory

SCRIPT = Path(__file__).parent.parent / "scripts" / "release" / "ship_teacher.py"


def ship(run: RunDirectory, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(SCRIPT), str(run.path), str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def new_run(tmp_path):
    """Make a run of a kind, of a smallest model."""
    folders = ["data.speech=home/speech", "train.init=home/teacher"]
    config = load_config("teacher", settings=[*SMALL_MODEL, *folders])
    return lambda kind: RunDirectory.create(tmp_path / "runs", config, kind)


@pytest.mark.parametrize("kind", ["student", "teacher"])
def test_only_a_finished_teacher_is_taken(new_run, tmp_path, kind):
    run = new_run(kind)
    run.set_state("running" if kind == "teacher" else "finished")
    done = ship(run, tmp_path / "out")
    assert done.returncode == 1
    assert "expected a finished teacher" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_shipped_teacher_is_the_trained_one_rounded(new_run, tmp_path):
    from small_dae import random_dae

    from tfkd.models.teacher import load_teacher

    run = new_run("teacher")
    trained = random_dae(run.config.model)
    trained.save_weights(run.float_weights)
    run.set_state("finished")
    done = ship(run, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    shipped = load_teacher(tmp_path / "out")
    assert shipped.config == run.config.model
    for kept, weight in zip(shipped.model.get_weights(), trained.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, weight.astype(np.float16).astype(np.float32))
    config = read_config(tmp_path / "out" / "config.toml")
    assert config.data.speech is None
    assert config.train == run.config.train.model_copy(update={"init": None})
    assert config.loss == run.config.loss
