"""`tfkd train --init`: what a training begins with, and what it takes over from it."""

import pytest

from tfkd.cli import train as train_module
from tfkd.config_file import load_config
from tfkd.released import find_tflite
from tfkd.train.run_directory import RunDirectory


@pytest.fixture
def begin(run_tfkd, tmp_path, monkeypatch):
    """Call `tfkd train` in an empty folder up to the training; returns the run."""
    monkeypatch.setattr(train_module, "_train", lambda *_: None)
    monkeypatch.chdir(tmp_path)

    def call(*arguments):
        result = run_tfkd("train", *arguments)
        assert result.exit_code == 0, result.stderr
        return RunDirectory.open("runs/latest")

    return call


def test_a_student_hears_what_the_released_model_heard(begin):
    run = begin("--student", "micro", "--init", "micro")
    assert load_config("micro").model.frontend.highest_hz is None
    assert run.config.model.frontend.highest_hz == 7400.0  # released so
    assert run.config.train.init == "micro"
    assert run.initial_weights.read_bytes() == find_tflite("micro").read_bytes()


def test_what_is_said_goes_before_what_is_taken_over(begin, tmp_path):
    (tmp_path / "mine.toml").write_text("[model.frontend]\nhighest_hz = 7000.0\n")
    run = begin("--student", "micro", "--init", "micro", "--config", "mine.toml")
    assert run.config.model.frontend.highest_hz == 7000.0
    run = begin("--student", "micro", "--init", "micro", "--set", "model.frontend.highest_hz=6000")
    assert run.config.model.frontend.highest_hz == 6000.0


def test_the_latest_run_is_kept_by_its_own_path(begin, tmp_path):
    first = begin("--student", "micro")
    (first.path / "model.tflite").write_bytes(find_tflite("micro").read_bytes())
    second = begin("--student", "micro", "--init", "runs/latest")
    assert second.config.train.init == str(first.path)


def test_a_folder_that_happens_to_have_a_model_s_name(begin, tmp_path):
    for name in ("micro", "teacher"):
        (tmp_path / name).mkdir()
    assert begin("--student", "micro", "--init", "micro").config.train.init == "micro"
    run = begin("teacher", "--init", "teacher")
    assert run.config.train.init == "teacher"
    assert run.initial_weights.stat().st_size > 100_000


def test_a_teacher_hears_what_the_one_before_heard(begin):
    first = begin("teacher", "--set", "model.frontend.floor_db=-60")
    first.float_weights.write_bytes(b"weights")
    second = begin("teacher", "--init", first.path)
    assert second.config.model == first.config.model


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--student", "tiny", "--init", "nope"], "no model 'nope'. Expected a .tflite file"),
        (["--student", "tiny", "--init", "tny"], "Did you mean 'tiny'?"),
        (["teacher", "--init", "tiny"], "tiny: holds no trained model"),
        (
            ["teacher", "--init", "teacher", "--set", "model.dilations=[1, 2]"],
            "Expected model.dilations=[1, 2]. Received: model.dilations=[1, 3, 9, 27, 1, 2, 4, 8]. "
            "Train with --set 'model.dilations=[1, 3, 9, 27, 1, 2, 4, 8]', or",
        ),
    ],
)
def test_mistakes_leave_no_run(run_tfkd, tmp_path, args, message):
    result = run_tfkd("train", *args, "--runs", tmp_path / "runs")
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_weights_of_another_shape_leave_no_run(run_tfkd, tmp_path):
    result = run_tfkd("train", "--student", "tiny", "--init", "micro", "--runs", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "micro: has the weights of another model. Expected: 33 convolutions. Received: 29" in (
        result.stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_workers_begin_with_random_weights(run_tfkd):
    result = run_tfkd("train", "--student", "tiny", "--init", "tiny", "--strategy", "multiworker")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "workers begin with random weights" in result.stderr
