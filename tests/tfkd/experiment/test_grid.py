"""The grid without training: a stand-in writes what a training would."""

import json

import pytest

from tfkd.errors import RunError
from tfkd.experiment.grid import Grid
from tfkd.experiment.processes import Processes
from tfkd.experiment.study import Study, Training
from tfkd.train.run_directory import RunDirectory

METRICS = ("pesq_wb", "stoi", "estoi", "si_sdr")


class Trainings:
    """A runner that trains nothing; `cosine` of seed 1 fails."""

    def __init__(self, slots=1):
        self.slots = slots
        self.started = []
        self.stopped = False

    def run(self, command, log_file):
        given = json.loads(command[-1])
        folder = given["folder"]
        self.started.append(log_file.parent.name)
        if folder.endswith("cells/base/cosine/seed1"):
            log_file.write_text("Error: out of luck\n")
            return 1
        weight = RunDirectory.open(folder).config.distill.weight
        scores = dict.fromkeys(METRICS, 1.0)
        result = {"valid_supervised_loss": abs(weight - 0.3), "float": scores, "int8": scores}
        with open(f"{folder}/cell.json", "w") as file:
            pairs = {key: given[key] for key in ("noisy", "clean", "limit")}
            json.dump({**result, "pairs": pairs, "scored": given["noisy"] is not None}, file)
        return 0

    def stop(self):
        self.stopped = True


def study(**changes):
    plan = {"methods": ("none", "cosine"), "seeds": (0, 1), "weights": {"cosine": (0.1, 0.2, 0.5)}}
    return Study(**{**plan, **changes})


def grid(folder, runner=None, **changes):
    return Grid(study(**changes), folder, "noisy", "clean", runner or Trainings())


def test_lambda_is_tuned_on_validation_without_a_look_at_the_test_pairs(tmp_path):
    tuned = grid(tmp_path)
    assert tuned.trainings == 3 + 4
    assert tuned.tune() == {"cosine": 0.2}
    result = json.loads((tmp_path / "tuning/cosine/0.2/cell.json").read_text())
    assert result["scored"] is False


def test_a_failed_cell_stops_no_other(tmp_path):
    told = []
    both = grid(tmp_path, Trainings(slots=2))
    both.report = told.append
    outcomes = both.run({"cosine": 0.2})
    assert [(cell.seed, cell.method, o.failure) for cell, o in outcomes] == [
        (0, "none", None),
        (0, "cosine", None),
        (1, "none", None),
        (1, "cosine", "exit code 1; it said last: Error: out of luck"),
    ]
    assert len(told) == 4
    assert [cell.weight for cell, _ in outcomes] == [None, 0.2, None, 0.2]
    assert [outcome.name for outcome in both.failures] == ["cells/base/cosine/seed1"]


def test_cells_say_the_lambda_that_a_plan_leaves_to_its_default(tmp_path):
    outcomes = grid(tmp_path, weights={}, methods=("none", "hint"), seeds=(0,)).run({})
    assert [cell.weight for cell, _ in outcomes] == [None, 1.0]


def test_only_unfinished_cells_run_again(tmp_path):
    grid(tmp_path).run({})
    runner, told = Trainings(), []
    again = grid(tmp_path, runner, seeds=(0, 1, 2))
    again.report = told.append
    again.run({})
    assert runner.started == ["seed1", "seed2", "seed2"]
    assert [outcome.was_finished for outcome in told] == [True, True, True, False, False, False]


def test_cells_that_were_scored_on_other_pairs_are_scored_again(tmp_path):
    grid(tmp_path, seeds=(0,)).run({})
    for changed in (
        Grid(study(seeds=(0,)), tmp_path, "elsewhere", "clean", Trainings()),
        grid(tmp_path, seeds=(0,), test={"limit": 9}),
    ):
        changed.run({})
        assert changed.runner.started == ["seed0", "seed0"]
        found = [json.loads(path.read_text())["pairs"] for path in tmp_path.rglob("cell.json")]
        assert found == [changed.pairs] * 2


@pytest.mark.parametrize("content", ["", "[]", '{"float": '])
def test_a_damaged_result_is_made_anew(tmp_path, content):
    grid(tmp_path, seeds=(0,)).run({})
    (tmp_path / "cells/base/none/seed0/cell.json").write_text(content)
    again = grid(tmp_path, seeds=(0,))
    (_, outcome), _ = again.run({})
    assert again.runner.started == ["seed0"] and outcome.result["scored"] is True


def test_what_was_trained_to_another_plan_is_refused_not_removed(tmp_path):
    grid(tmp_path).run({})
    with pytest.raises(
        RunError, match=r"another plan:(\n  .*/seed\d: distill.weight: 0.*){2}\nCont"
    ):
        grid(tmp_path).run({"cosine": 0.5})
    with pytest.raises(RunError, match=r"seed0: train.steps: 15000 -> 7\n"):
        grid(tmp_path, settings=("train.steps=7",)).run({})
    assert (tmp_path / "cells/base/cosine/seed0/cell.json").is_file()


def test_the_study_trains_its_own_teacher_first(tmp_path):
    taught = grid(tmp_path, teacher=Training(preset="teacher"))
    assert taught.trainings == 1 + 3 + 4
    assert taught.train_teacher()["scored"] is True
    taught.run({})
    assert RunDirectory.open(tmp_path / "teacher").kind == "teacher"
    run = RunDirectory.open(tmp_path / "cells/base/cosine/seed0")
    assert run.config.distill.teacher == str(tmp_path / "teacher")
    assert grid(tmp_path).train_teacher() is None


class Failing(Trainings):
    def run(self, command, log_file):
        log_file.touch()
        return 7


def test_without_a_teacher_or_lambda_there_is_no_study(tmp_path):
    with pytest.raises(RunError, match="no lambda of 'cosine' could be trained.*exit code 7"):
        grid(tmp_path, Failing()).tune()
    with pytest.raises(RunError, match="the teacher could not be trained: exit code 7"):
        grid(tmp_path, Failing(), teacher=Training(preset="teacher")).train_teacher()


class Interrupted(Trainings):
    def run(self, command, log_file):
        raise KeyboardInterrupt


def test_an_interrupt_stops_what_runs(tmp_path):
    runner = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        grid(tmp_path, runner).run({})
    assert runner.stopped


def test_the_default_runner_runs_processes(tmp_path):
    runner = Processes(1)
    assert runner.run(["sh", "-c", "echo said; exit 4"], tmp_path / "log") == 4
    assert (tmp_path / "log").read_text() == "said\n"
