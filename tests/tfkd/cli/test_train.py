"""Options of `tfkd train`; training itself is tested in tests/tfkd/train."""

import json
import re

import pytest
import soundfile
from conftest import RATE, SMALL_RUN, noisy_voice, voice

from tfkd.config_file import load_config, read_config
from tfkd.errors import CorpusError


@pytest.mark.slow
def test_dry_run_prints_the_resolved_configuration(run_tfkd, tmp_path):
    (tmp_path / "mine.toml").write_text("[train]\nsteps = 5\nbatch = 5\nseed = 5\n")
    result = run_tfkd(
        *("train", "--student", "micro", "--config", tmp_path / "mine.toml"),
        *("--set", "train.batch=6", "--set", "train.seed=6", "--seed", 7, "--speech", "there"),
        *("--noise", "here", "--deterministic", "--dry-run", "--runs", tmp_path / "runs"),
    )
    assert result.exit_code == 0, result.stderr
    (tmp_path / "shown.toml").write_text(result.stdout)
    config = read_config(tmp_path / "shown.toml")
    assert (config.train.steps, config.train.batch, config.train.seed) == (5, 6, 7)
    assert config.train.deterministic and config.data.speech == "there"
    assert config.model == load_config("micro").model
    assert "MMAC/s" in result.stderr
    assert not (tmp_path / "runs").exists()
    result = run_tfkd(
        "train", "--student", "micro", "--speech", "a", "--noise", "b", "--dry-run", "--json"
    )
    shown = json.loads(result.stdout)
    assert (shown["schema"], shown["config"]["data"]["speech"]) == ("tfkd.train-dry-run/1", "a")
    assert shown["budget"]["parameters"] > 0


@pytest.mark.slow
def test_without_recordings_the_demo_schedule_applies(run_tfkd, tmp_path):
    demo = run_tfkd("train", "--student", "micro", "--dry-run", "--seed", 7)
    assert "the demo corpus is used, for 400 + 60 steps" in demo.stderr
    (tmp_path / "demo.toml").write_text(demo.stdout)
    config = read_config(tmp_path / "demo.toml")
    assert config.train.steps < 1000 and config.train.seed == 7
    real = run_tfkd("train", "--student", "micro", "--dry-run", "--speech", "a", "--noise", "b")
    assert "demo" not in real.stderr
    (tmp_path / "real.toml").write_text(real.stdout)
    assert read_config(tmp_path / "real.toml").train == load_config("micro").train


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
        (["--student", "tiny", "--method", "cosin"], "Did you mean 'cosine'?"),
        (["--student", "tiny", "--method", "output"], "Expected distill.weight below 1"),
        (["--student", "tiny", "--config", "none.toml"], "none.toml: cannot be read"),
        (["--resume", "nowhere"], "is not a run directory"),
        (["--student", "tiny", "--noise", "n"], "both speech and noise"),
        (["--student", "tiny", "--noise", "n", "--dry-run"], "both speech and noise"),
        (["--student", "tiny", "--speech", "no", "--noise", "no"], "folder no does not exist"),
        (["--student", "tiny", "--noisy", "no", "--clean", "no"], "folder no does not exist"),
        (["--student", "tiny", "--rir", "no"], "folder no does not exist"),
        (["--student", "tiny", "--teacher", "nope"], "nope: holds no trained model"),
    ],
)
def test_mistakes_leave_no_run(run_tfkd, tmp_path, args, message):
    result = run_tfkd("train", *args, "--runs", tmp_path / "runs")
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr
    assert "demo corpus" not in result.stderr or "--noise" not in args
    assert not (tmp_path / "runs").exists()


def test_defaults_in_the_help_are_those_of_the_configuration():
    from tfkd.cli.train import train

    defaults = load_config("tiny").model_dump()
    shown = {}
    for option in train.params:
        section, _, key = option.name.partition("__")
        found = re.search(r"\[default: ([\w.]+)\]", getattr(option, "help", None) or "")
        if key and found:
            shown[option.name] = found[1]
            assert found[1] == str(defaults[section][key])
    assert set(shown) == {"distill__method", "distill__weight", "train__steps", "train__seed"}


def test_run_of_another_version(run_tfkd, tmp_path):
    (tmp_path / "run.json").write_text(json.dumps({"schema": 99, "kind": "student"}))
    result = run_tfkd("train", "--resume", tmp_path)
    assert result.exit_code == 1
    assert "schema 99" in result.stderr and "Use the tfkd that made it" in result.stderr


@pytest.mark.slow
def test_failed_start_leaves_no_run_and_keeps_latest(run_tfkd, tmp_path, small_corpus):
    runs = tmp_path / "runs"
    older = runs / "20200101T000000Z-micro-000000"
    older.mkdir(parents=True)
    (older / "run.json").write_text("{}")
    (tmp_path / "damaged").mkdir()
    (tmp_path / "damaged" / "noise.wav").write_bytes(b"RIFF, and nothing else")
    args = [*small_corpus[:2], "--noise", tmp_path / "damaged"]
    result = run_tfkd("train", *SMALL_RUN, *args, "--runs", runs)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "noise.wav" in result.stderr
    assert sorted(path.name for path in runs.iterdir()) == [older.name, "latest"]
    assert (runs / "latest").resolve() == older


@pytest.mark.slow
def test_failed_resume_keeps_the_run(run_tfkd, tmp_path, monkeypatch):
    from tfkd.train import session
    from tfkd.train.run_directory import RunDirectory

    def failing(run, **options):
        raise CorpusError("the recordings have moved")

    monkeypatch.setattr(session, "prepare", lambda config, threads: None)
    monkeypatch.setattr(session, "train_student", failing)
    run = RunDirectory.create(tmp_path / "runs", load_config("micro"), "student")
    run.float_weights.write_bytes(b"of a run whose checkpoints the user removed")
    result = run_tfkd("train", "--resume", run.path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert "the recordings have moved" in result.stderr
    assert run.float_weights.is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("failure", "code", "message"),
    [
        ("disk", 1, "disk or memory is exhausted (No space left on device)"),
        ("interrupt", 130, "interrupted"),
    ],
)
def test_stopped_training_says_how_to_continue(
    run_tfkd, tmp_path, monkeypatch, failure, code, message
):
    import tensorflow as tf

    from tfkd.train import session

    def stopped(run, **options):
        if failure == "interrupt":
            raise KeyboardInterrupt
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device\nand so on")

    monkeypatch.setattr(session, "prepare", lambda config, threads: None)
    monkeypatch.setattr(session, "train_student", stopped)
    result = run_tfkd("train", "--student", "micro", "--runs", tmp_path)
    run = (tmp_path / "latest").resolve()
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert f"tfkd train --resume {run}" in result.stderr
    assert (run / "config.toml").is_file()


@pytest.mark.slow
def test_a_recording_that_vanished_is_named(run_tfkd, tmp_path, monkeypatch):
    """With what TensorFlow really says, in the middle of a real training."""
    from tfkd.train import session

    for kind, make in (("speech", voice), ("noise", noisy_voice)):
        for name in ("train/a", "train/b", "valid/c", "valid/d"):
            path = tmp_path / kind / f"{name}.wav"
            path.parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(path, make(1.0), RATE)
    opened = session.training_dataset

    def vanishing(config, start_step):
        batches = opened(config, start_step)
        for path in (tmp_path / "speech" / "train").iterdir():
            path.unlink()
        return batches

    monkeypatch.setattr(session, "training_dataset", vanishing)
    folders = [word for kind in ("speech", "noise") for word in (f"--{kind}", tmp_path / kind)]
    streamed = ["--set", "data.memory_mb=0", "--runs", tmp_path / "runs"]
    result = run_tfkd("train", *SMALL_RUN, *folders, *streamed)
    run = (tmp_path / "runs" / "latest").resolve()
    assert (result.exit_code, result.stdout) == (1, "")
    missing = (
        rf"TensorFlow stopped \({tmp_path}/speech/train/[ab]\.wav; No such file or directory\)"
    )
    assert re.search(missing, result.stderr), result.stderr
    assert f"tfkd train --resume {run}" in result.stderr
    assert "IO>AudioReadableInit" in (run / "train.log").read_text()


def test_resuming_takes_the_threads_that_the_run_began_with(run_tfkd, tmp_path, monkeypatch):
    from tfkd.train import session

    prepared = []
    monkeypatch.setattr(session, "prepare", lambda config, threads: prepared.append(threads))
    monkeypatch.setattr(session, "train_student", lambda run, **options: None)
    begun = run_tfkd("train", "--student", "micro", "--runs", tmp_path, "--threads", 3)
    assert begun.exit_code == 0, begun.output
    run = begun.stdout.strip()
    silent, told = (
        run_tfkd("train", "--resume", run),
        run_tfkd("train", "--resume", run, "--threads", 2),
    )
    assert prepared == [3, 3, 2]
    assert "bit for bit" not in silent.stderr
    assert "began with --threads 3: with 2, it will not come to the same weights" in told.stderr
