"""Every command and every Python block in README.md runs, in its order, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from small_model import SMALL_MODEL

from tfkd.cli import main
from tfkd.data import demo
from tfkd.data.demo_noise import SAMPLE_RATE, noise

REPOSITORY = Path(__file__).parent.parent
README = (REPOSITORY / "README.md").read_text()
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
# The same commands, with a training of two steps.
SHORT_TRAINING = (
    "train.steps=2",
    "train.epoch_steps=2",
    "train.warmup_steps=1",
    "train.batch=2",
    "data.segment_s=1.0",
    "data.valid_examples=2",
    "quantize.steps=2",
    "quantize.calibration_batches=1",
)
# And of the smallest sizes; the one with --init is of `tiny`.
SMALL_TEACHER = (*SMALL_MODEL, "model.hidden=24", "model.latent=12")
PATHED = os.environ | {"PYTHONPATH": str(REPOSITORY)}


def blocks(language: str) -> list[str]:
    return [text for name, text in BLOCK.findall(README) if name == language]


def commands() -> list[str]:
    lines = "\n".join(blocks("sh")).splitlines()
    return [stripped for line in lines if (stripped := line.split("#")[0].strip())]


def test_the_readme_has_no_other_commands():
    assert {name for name, _ in BLOCK.findall(README)} == {"sh", "python"}
    assert {line.split()[0] for line in commands()} == {"make", "tfkd", "python", "."}


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("make")])
def test_make_knows_the_target(line):
    subprocess.run(
        [*shlex.split(line), "--dry-run"], cwd=REPOSITORY, check=True, capture_output=True
    )


@pytest.fixture
def scratch(tmp_path, monkeypatch) -> Path:
    """A folder with the recordings that the README speaks of; the demo corpus in its own cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    pairs = demo.demo_corpus()
    recordings = tmp_path / "recordings"
    for folder in ("noise", "pairs/noisy", "pairs/clean", "field"):
        (recordings / folder).mkdir(parents=True)
    shutil.copytree(demo.SPEECH / "held_out", recordings / "speech")
    for count, family in enumerate(("fan", "rain", "traffic")):
        samples = noise(family, count, 6.0)
        soundfile.write(recordings / "noise" / f"{family}.flac", samples, SAMPLE_RATE)
    for name in ("snr05_0001.wav", "snr10_0002.wav"):
        shutil.copy(pairs.noisy / name, recordings / "pairs" / "noisy")
        shutil.copy(pairs.clean / name, recordings / "pairs" / "clean")
    stereo = np.random.default_rng(0).normal(0.0, 0.05, (44_100, 2))
    soundfile.write(recordings / "field" / "stereo.wav", stereo, 44_100)
    shutil.copy(pairs.noisy / "snr00_0000.wav", tmp_path / "noisy.wav")
    return tmp_path


def shortened(training: list[str]) -> list[str]:
    """Settings that make a training short, and small but where it goes on with a release."""
    if "--init" in training:
        return list(SHORT_TRAINING)
    if "teacher" in training:
        return [*SHORT_TRAINING, *SMALL_TEACHER]
    resumed = ["quantize.steps=0"] if "--config" in training else []  # its float phase is enough
    return [*SHORT_TRAINING, *SMALL_MODEL, *resumed]


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.timeout(1800)
def test_the_commands_run_in_order(scratch):
    for line in commands():
        if line.startswith("python "):
            subprocess.run([sys.executable, *shlex.split(line)[1:]], check=True, env=PATHED)
        if not line.startswith("tfkd "):
            continue
        command, _, output = line.partition(" > ")
        arguments = shlex.split(command)[1:]
        if arguments[0] == "train" and "--resume" not in arguments:
            arguments += [word for setting in shortened(arguments) for word in ("--set", setting)]
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception!r}"
        if output:
            (scratch / output).write_text(result.stdout)
    assert soundfile.info("clean.wav").frames == soundfile.info("noisy.wav").frames
    assert soundfile.info("denoised/stereo.wav").channels == 2
    assert json.loads((scratch / "scores.json").read_text())["pairs"] == 2
    shutil.copy(scratch / "runs" / "latest" / "model.tflite", scratch)
    for source in blocks("python"):
        exec(compile(source, "README.md", "exec"), {})
