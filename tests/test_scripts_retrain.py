"""scripts/release/retrain.py: what it runs, what it leaves alone, and that a killed run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from release_corpus import release_corpus
from small_model import SMALL_MODEL

from tfkd.config_file import known_keys, load_config, parse_setting, read_table
from tfkd.train.run_directory import RunDirectory

SCRIPTS = Path(__file__).parent.parent / "scripts" / "release"
RECIPES = sorted((SCRIPTS / "recipes").glob("*.toml"))
FOLDERS = {"speech", "noise", "rir", "noisy", "clean", "teacher", "init"}
SHORT = (
    *SMALL_MODEL,
    *("train.steps=4", "train.epoch_steps=2", "train.batch=2", "train.warmup_steps=1"),
    *("data.segment_s=0.5", "data.valid_examples=2"),
    *("loss.loudness=0", "loss.envelope=0"),
    *("quantize.steps=0", "quantize.calibration_batches=1"),
)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda path: path.stem)
def test_a_recipe_says_everything_but_folders(recipe):
    """Another default in a later version must not change what a recipe trains."""
    name = recipe.stem.partition(".")[0]
    table = read_table(recipe)
    sections = ["data", "train", "loss"]
    sections += ["distill", "quantize"] if name != "teacher" else []
    # Of the model, which is the preset's, what its releases hear.
    assert [name for name in table if name != "model"] == sections
    assert table.get("model", {}).keys() <= {"frontend"}
    load_config(name, [recipe])
    for section in sections:
        keys = {k.split(".")[1] for k in known_keys() if k.startswith(f"{section}.")}
        assert set(table[section]) == keys - FOLDERS, section


TEACHER = ["teacher.stage1", "teacher"]
STAGES = ["tiny.stage1", "tiny.stage2", "tiny", "small.stage1", "small.stage2", "small"]


class Recorder:
    """Stands in for the processes: makes the runs that `tfkd train` would make."""

    def __init__(self) -> None:
        self.trained: list[str] = []
        self.converted: list[str] = []
        self.released: list[list[str]] = []
        self.killed_in = ""

    def __call__(self, command: Sequence[str]) -> int:
        words = list(command)
        if "convert" in words:
            self.converted.append(Path(words[-1]).parent.name)
            (Path(words[-1]) / "model.tflite").write_bytes(b"")
            return 0
        if "train" not in words:
            self.released.append(words)
            Path(words[3]).mkdir(parents=True, exist_ok=True)
            (Path(words[3]) / "release.json").write_text("{}")
            return 0
        if "--resume" in words:
            run = RunDirectory.open(words[words.index("--resume") + 1])
            self.trained.append(f"resume {run.path.parent.name}")
        else:
            run = self._begin(words)
            self.trained.append(run.path.parent.name)
        if self.killed_in == run.path.parent.name:
            self.killed_in = ""
            raise KeyboardInterrupt
        run.set_state("finished")
        return 0

    def _begin(self, words: list[str]) -> RunDirectory:
        given = list(zip(words, words[1:], strict=False))
        preset = dict(given).get("--student", "teacher")
        flags = {f"data.{k}": dict(given).get(f"--{k}") for k in ("speech", "noise", "rir")}
        flags["distill.teacher"] = dict(given).get("--teacher")
        flags["train.init"] = dict(given).get("--init")
        settings = [value for key, value in given if key == "--set"]
        config = load_config(preset, [dict(given)["--config"]], settings, flags)
        kind = "student" if "--student" in words else "teacher"
        return RunDirectory.create(dict(given)["--runs"], config, kind)


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def retrain(recorder, tmp_path, monkeypatch) -> Callable[..., int]:
    """Call the script's main with the recorder in place of processes."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    monkeypatch.chdir(tmp_path)
    main = __import__("retrain").main

    def call(*arguments: str) -> int:
        folders = ["--speech", "a/speech", "--noise", "a/noise", "--rir", "a/rir", "--data", "a"]
        monkeypatch.setattr(sys, "argv", ["retrain.py", *folders, *arguments])
        (tmp_path / "runs/release/tflite").mkdir(parents=True, exist_ok=True)
        return main(recorder)

    return call


def test_the_teacher_comes_first_and_teaches_all(retrain, recorder, tmp_path):
    assert retrain() == 0
    assert recorder.trained == [*TEACHER, "micro", *STAGES]
    assert [Path(words[3]).name for words in recorder.released] == ["micro", "tiny", "small"]
    runs = tmp_path / "runs" / "release"
    teacher = (runs / "teacher" / "latest").resolve()
    config = RunDirectory.open(runs / "tiny" / "latest").config
    assert config.distill.teacher == str(teacher)
    first = (runs / "teacher.stage1" / "latest").resolve()
    assert RunDirectory.open(teacher).config.train.init == str(first)
    assert (config.data.speech, config.data.rir) == ("a/speech", "a/rir")
    assert config.train.init == str((runs / "tiny.stage2" / "latest").resolve())
    assert RunDirectory.open(runs / "tiny.stage1" / "latest").config.train.init is None


def test_what_is_done_is_left_alone(retrain, recorder):
    retrain()
    assert retrain() == 0
    assert len(recorder.trained) == 3 + len(STAGES) and len(recorder.released) == 3
    assert recorder.converted == ["tiny.stage1", "tiny.stage2", "small.stage1", "small.stage2"]
    shutil.rmtree("runs/release/tflite/micro")
    assert retrain() == 0 and len(recorder.released) == 4


def test_an_unset_variable_is_no_folder(retrain, capsys):
    with pytest.raises(SystemExit, match="2"):
        retrain("--speech", "")
    assert "argument --speech: is empty. Expected a folder" in capsys.readouterr().err


def test_an_interrupted_training_is_resumed(retrain, recorder):
    recorder.killed_in = "tiny"
    assert retrain() == 130
    assert retrain() == 0
    tiny, small = STAGES[:3], STAGES[3:]
    assert recorder.trained == [*TEACHER, "micro", *tiny, "resume tiny", *small]
    assert len(recorder.released) == 3


def test_another_recipe_in_the_same_folder_is_refused(retrain, recorder, capsys):
    retrain("--student", "micro")
    assert retrain("--student", "micro", "--set", "train.steps=7") == 1
    assert "begun with another recipe or other options" in capsys.readouterr().err


def test_arms_of_a_student_in_stages_begin_with_random_weights(retrain, recorder):
    assert retrain("--student", "tiny", "--seeds", "2") == 0
    arms = [f"tiny-{arm}-seed{seed}" for arm in ("distilled", "alone") for seed in (0, 1)]
    assert recorder.trained == [*TEACHER, "tiny.stage1", "tiny.stage2", "tiny", *arms]
    configs = [RunDirectory.open(f"runs/release/{name}/latest").config for name in arms]
    assert {config.train.init for config in configs} == {None}
    assert {config.model.frontend.highest_hz for config in configs} == {7400.0}


def test_seeds_train_both_arms_for_the_card(retrain, recorder):
    assert retrain("--student", "micro", "--seeds", "2") == 0
    distilled, alone = "micro-distilled-seed1", ["micro-alone-seed0", "micro-alone-seed1"]
    assert recorder.trained == [*TEACHER, "micro", distilled, *alone]
    (words,) = recorder.released
    arms = [(key, Path(value).parent.name) for key, value in zip(words, words[1:], strict=False)]
    assert [arm for arm in arms if arm[0] in ("--distilled", "--alone")] == [
        *(("--distilled", "micro"), ("--distilled", distilled)),
        *(("--alone", name) for name in alone),
    ]
    configs = [RunDirectory.open(f"runs/release/{n}/latest").config for n in (distilled, *alone)]
    assert [c.train.seed for c in configs] == [1, 0, 1]
    assert [c.distill.method for c in configs] == ["cosine", "none", "none"]
    assert {c.quantize.steps for c in configs} == {0}


def test_the_arms_follow_what_is_set_on_top_of_the_recipe(retrain, recorder):
    settings = ["--set", "distill.method=none", "--set", "train.seed=3"]
    assert retrain("--student", "micro", "--seeds", "2", *settings) == 0
    distilled = ["micro-distilled-seed3", "micro-distilled-seed4"]
    assert recorder.trained == [*TEACHER, "micro", *distilled, "micro-alone-seed4"]
    configs = [RunDirectory.open(f"runs/release/{name}/latest").config for name in distilled]
    assert [config.distill.method for config in configs] == ["cosine", "cosine"]


def test_the_card_names_the_teacher_that_was_given(retrain, recorder):
    retrain("--student", "micro", "--teacher", "runs/mine")
    (words,) = recorder.released
    assert words[words.index("--commands") + 1].endswith("--data a --teacher mine --student micro")


def test_the_arms_may_be_shorter_than_the_release(retrain, recorder):
    assert retrain("--student", "micro", "--seeds", "2", "--arm-steps", "7") == 0
    arms = [f"micro-{arm}-seed{seed}" for arm in ("distilled", "alone") for seed in (0, 1)]
    assert recorder.trained == [*TEACHER, "micro", *arms]
    configs = [RunDirectory.open(f"runs/release/{n}/latest").config for n in arms]
    assert {c.train.steps for c in configs} == {7}
    assert RunDirectory.open("runs/release/micro/latest").config.train.steps > 7
    (words,) = recorder.released
    assert words[words.index("--commands") + 1].endswith("--seeds 2 --arm-steps 7")


def test_the_card_gets_the_command_without_folders_of_this_machine(retrain, recorder):
    retrain("--student", "micro")
    (words,) = recorder.released
    assert words[words.index("--commands") + 1] == (
        "scripts/release/retrain.py --speech speech --noise noise --rir rir --data a "
        "--student micro"
    )


def test_another_denoiser_reaches_the_card(retrain, recorder):
    retrain("--student", "micro", "--other", "rnnoise=outputs/by_rnnoise")
    (words,) = recorder.released
    assert words[words.index("--other") + 1] == "rnnoise=outputs/by_rnnoise"
    assert words[words.index("--commands") + 1].endswith("--other rnnoise=by_rnnoise")


def test_a_failed_training_ends_it(retrain, recorder, monkeypatch, capsys):
    monkeypatch.setattr(Recorder, "__call__", lambda recorder, command: 1)
    assert retrain() == 1
    assert "the training in runs/release/teacher.stage1 failed" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.oracle
@pytest.mark.timeout(1500)
def test_a_killed_release_goes_on_to_its_card(tmp_path):
    data, runs = release_corpus(tmp_path / "data"), tmp_path / "runs"
    command = [
        *(sys.executable, str(SCRIPTS / "retrain.py"), "--data", str(data), "--split", "valid"),
        *("--speech", str(data / "speech"), "--noise", str(data / "noise")),
        *("--runs", str(runs), "--student", "micro", "--threads", "1"),
        *(word for setting in SHORT for word in ("--set", setting)),
    ]
    with (tmp_path / "log").open("w") as log:
        first = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 600
        while not list(runs.glob("teacher.stage1/2*/checkpoints/float/checkpoint")):
            assert first.poll() is None and time.monotonic() < deadline, log.name
            time.sleep(0.1)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 3), done.stderr[-3000:]
    assert len(list(runs.glob("teacher.stage1/2*"))) == 1  # the killed run was resumed
    assert RunDirectory.open(runs / "teacher" / "latest").state() == "finished"
    release = json.loads((runs / "tflite" / "micro" / "release.json").read_text())
    assert release["config"]["train"]["steps"] == 4
    settings = dict(parse_setting(setting) for setting in SHORT)
    assert release["config"]["model"]["latent"] == settings["model.latent"]
    card = (runs / "tflite" / "micro" / "MODEL_CARD.md").read_text()
    assert "scripts/release/retrain.py --speech speech --noise noise --data data" in card
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (again.returncode, again.stderr) == (done.returncode, "")  # nothing was left to do
