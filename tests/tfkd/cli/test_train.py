"""Options of `tfkd train`; training itself is tested in tests/tfkd/train."""

import json

import pytest
import soundfile
from conftest import noisy_voice, voice

from tfkd.config_file import load_config, read_config

TINY_RUN = [
    *("--student", "micro", "--method", "none", "--steps", 2),
    *("--set", "train.epoch_steps=2", "--set", "train.batch=1", "--set", "quantize.steps=0"),
    *("--set", "data.valid_examples=1", "--set", "data.segment_s=0.5"),
    *("--set", "quantize.calibration_batches=1"),
]


@pytest.mark.slow
def test_dry_run_prints_the_resolved_configuration(run_tfkd, tmp_path):
    (tmp_path / "mine.toml").write_text("[train]\nsteps = 5\nbatch = 5\nseed = 5\n")
    result = run_tfkd(
        *("train", "--student", "micro", "--config", tmp_path / "mine.toml"),
        *("--set", "train.batch=6", "--set", "train.seed=6", "--seed", 7, "--speech", "there"),
        *("--deterministic", "--dry-run", "--runs", tmp_path / "runs"),
    )
    assert result.exit_code == 0, result.stderr
    (tmp_path / "shown.toml").write_text(result.stdout)
    config = read_config(tmp_path / "shown.toml")
    assert (config.train.steps, config.train.batch, config.train.seed) == (5, 6, 7)
    assert config.train.deterministic and config.data.speech == "there"
    assert config.model == load_config("micro").model
    assert "MMAC/s" in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "args",
    [
        [],
        ["teacher", "--student", "tiny"],
        ["techer"],
        ["--resume", "runs/x", "--steps", "5"],
        ["--resume", "runs/x", "--student", "tiny"],
        ["--resume", "runs/x", "--dry-run"],
    ],
)
def test_wrong_usage(run_tfkd, args):
    result = run_tfkd("train", *args)
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--student", "tinny"], "Did you mean 'tiny'?"),
        (["--student", "tiny", "--set", "train.step=4"], "Did you mean 'train.steps'?"),
        (["--student", "tiny", "--steps", "0"], "train.steps (from the flag for train.steps)"),
        (["--student", "tiny", "--config", "none.toml"], "none.toml: cannot be read"),
        (["--resume", "nowhere"], "is not a run directory"),
    ],
)
def test_mistakes_leave_no_run(run_tfkd, tmp_path, args, message):
    result = run_tfkd("train", *args, "--runs", tmp_path / "runs")
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert not (tmp_path / "runs").exists()


def test_run_of_another_version(run_tfkd, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"schema": 99, "kind": "student"}))
    result = run_tfkd("train", "--resume", tmp_path)
    assert result.exit_code == 1
    assert "schema 99" in result.stderr and "Use the tfkd that made it" in result.stderr


@pytest.fixture
def corpus(tmp_path):
    """A handful of short recordings."""
    for kind, make in (("speech", voice), ("noise", noisy_voice)):
        for split in ("train", "valid"):
            for name in ("a", "b"):
                path = tmp_path / kind / split / name / "1.wav"
                path.parent.mkdir(parents=True)
                soundfile.write(path, make(1.0), 16000)
    return ["--speech", tmp_path / "speech", "--noise", tmp_path / "noise"]


@pytest.mark.slow
def test_failed_start_leaves_no_run_and_keeps_latest(run_tfkd, tmp_path, corpus):
    runs = tmp_path / "runs"
    older = runs / "20200101T000000Z-micro-000000"
    older.mkdir(parents=True)
    (older / "run.json").write_text("{}")
    for folder, message in (("none", "does not exist"), ("empty", "No recordings")):
        (tmp_path / "empty").mkdir(exist_ok=True)
        args = [*corpus[:2], "--noise", tmp_path / folder]
        result = run_tfkd("train", *TINY_RUN, *args, "--runs", runs)
        assert (result.exit_code, result.stdout) == (1, "")
        assert message in result.stderr
        assert sorted(path.name for path in runs.iterdir()) == [older.name, "latest"]
        assert (runs / "latest").resolve() == older


@pytest.mark.slow
def test_training_prints_the_run_and_logs(run_tfkd, tmp_path, corpus):
    result = run_tfkd("train", *TINY_RUN, *corpus, "--runs", tmp_path / "runs")
    assert result.exit_code == 0, result.stderr
    run = (tmp_path / "runs" / "latest").resolve()
    assert result.stdout == f"{run}\n"
    assert json.loads((run / "run.json").read_text())["state"] == "finished"
    assert "float phase: 2 steps" in (run / "train.log").read_text()
    assert (run / "float.weights.h5").is_file() and (run / "qat.weights.h5").is_file()
