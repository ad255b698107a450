"""Run the cells of a study, several at a time, each in a process of its own; resume and report.

A study's folder:
  study.toml         the plan
  study.json         the result; `summary.py` makes tables, plots and text from it
  teacher/           run directory of the study's own teacher, if it trains one
  tuning/<method>/<weight>/               trainings that choose lambda
  cells/<scenario>/<method>/seed<n>/      run directories; `cell.json` is a finished cell's result
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tfkd.config import Config
from tfkd.config_file import dotted_values
from tfkd.errors import RunError
from tfkd.experiment.cell import RESULT, cell_command
from tfkd.experiment.processes import Runner
from tfkd.experiment.study import (
    Cell,
    Study,
    cell_config,
    study_cells,
    teacher_config,
    tuning_cells,
)
from tfkd.train.run_directory import RunDirectory

LOG = "cell.log"
TEACHER = "teacher"


@dataclass(frozen=True)
class Outcome:
    """What became of one training: its result, or how it failed."""

    name: str  # path below the study's folder
    result: Mapping[str, Any] | None
    failure: str | None = None
    was_finished: bool = False  # before this call


class Grid:
    """The trainings of one study in one folder.

    Args:
        study: the plan.
        folder: where everything goes.
        noisy, clean: folders of test pairs.
        runner: where the trainings run.
        report: is told of every outcome, in the thread that called `run`.
    """

    def __init__(
        self,
        study: Study,
        folder: Path,
        noisy: str,
        clean: str,
        runner: Runner,
        report: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self.study = study
        self.folder = folder
        self.pairs = {"noisy": noisy, "clean": clean, "limit": study.test.limit}
        self.runner = runner
        self.report = report
        self.failures: list[Outcome] = []  # so far, those that tune lambda among them
        self.tried: list[tuple[Cell, Outcome]] = []  # to tune lambda

    @property
    def trainings(self) -> int:
        """How many there are in all: the teacher's, those that tune lambda, the cells."""
        tuning = len(list(tuning_cells(self.study)))
        return (self.study.teacher is not None) + tuning + len(study_cells(self.study, {}))

    def train_teacher(self) -> dict[str, Any] | None:
        """Train and score the study's own teacher; None if it has none.

        Raises:
            RunError: it could not be trained.
        """
        if self.study.teacher is None:
            return None
        config = teacher_config(self.study, self.study.teacher)
        (outcome,) = self._run([(TEACHER, config)], TEACHER, self.pairs)
        if outcome.result is None:
            log_file = self.folder / TEACHER / LOG
            raise RunError(f"the teacher could not be trained: {outcome.failure}. See {log_file}.")
        return dict(outcome.result)

    def tune(self) -> dict[str, float]:
        """Choose lambda per method: the candidate with the lowest validation supervised loss.

        Rule: one training per candidate on the first scenario with a seed of its own, the float
        phase alone, all else as in the study; its best epoch counts; test recordings play no part.

        Raises:
            RunError: no candidate of a method could be trained.
        """
        cells = list(tuning_cells(self.study))
        chosen: dict[str, tuple[float, float]] = {}
        untested = {"noisy": None, "clean": None, "limit": None}
        outcomes = self._run(
            [(cell.name, self._config(cell)) for cell in cells], "student", untested
        )
        self.tried = list(zip(cells, outcomes, strict=True))
        for cell, outcome in self.tried:
            if outcome.result is not None and cell.weight is not None:
                candidate = (float(outcome.result["valid_supervised_loss"]), cell.weight)
                chosen[cell.method] = min(candidate, chosen.get(cell.method, candidate))
        for cell, outcome in self.tried:
            if cell.method not in chosen:
                raise RunError(
                    f"no lambda of '{cell.method}' could be trained; the last failure: "
                    f"{outcome.failure}. See {self.folder / outcome.name / LOG}."
                )
        return {method: weight for method, (_, weight) in chosen.items()}

    def run(self, chosen: Mapping[str, float]) -> list[tuple[Cell, Outcome]]:
        """Train and score every cell; failed ones are reported and stop nothing.

        Returns:
            Every cell, with the lambda that it was trained with, and its outcome.
        """
        cells, trainings = [], []
        for cell in study_cells(self.study, chosen):
            config = self._config(cell)
            cells.append(replace(cell, weight=_weight(config)))
            trainings.append((cell.name, config))
        return list(zip(cells, self._run(trainings, "student", self.pairs), strict=True))

    def _config(self, cell: Cell) -> Config:
        own = self.folder / TEACHER if self.study.teacher else None
        return cell_config(self.study, cell, own)

    def _run(
        self, trainings: Sequence[tuple[str, Config]], kind: str, pairs: Mapping[str, Any]
    ) -> list[Outcome]:
        self._check_plan(trainings)
        outcomes: dict[str, Outcome] = {}
        for name, _ in trainings:
            outcome = self._finished(name, pairs)
            if outcome is not None:
                outcomes[name] = outcome
                self.report(outcome)
        with ThreadPoolExecutor(self.runner.slots) as pool:
            futures = [
                pool.submit(self._train, name, config, kind, pairs)
                for name, config in trainings
                if name not in outcomes
            ]
            try:
                for future in as_completed(futures):
                    outcome = future.result()
                    outcomes[outcome.name] = outcome
                    if outcome.result is None:
                        self.failures.append(outcome)
                    self.report(outcome)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self.runner.stop()
                raise
        return [outcomes[name] for name, _ in trainings]

    def _check_plan(self, trainings: Sequence[tuple[str, Config]]) -> None:
        """RunError where trainings of an earlier call followed another plan; it names them all."""
        changes = {}
        for name, config in trainings:
            if (self.folder / name / "run.json").is_file():
                theirs = dotted_values(RunDirectory.open(self.folder / name).config.model_dump())
                ours = dotted_values(config.model_dump())
                changed = [
                    f"{k}: {theirs.get(k)} -> {v}" for k, v in ours.items() if theirs.get(k) != v
                ]
                if changed:
                    changes[name] = "; ".join(changed)
        if changes:
            lines = "\n".join(
                f"  {self.folder / name}: {change}" for name, change in changes.items()
            )
            raise RunError(
                f"trained to another plan:\n{lines}\nContinue the study as it was, start another "
                f"with -o, or remove these folders to train them anew."
            )

    def _finished(self, name: str, pairs: Mapping[str, Any]) -> Outcome | None:
        """The outcome of an earlier call, if there is one that was scored on these pairs."""
        folder = self.folder / name
        result = _result(folder) if (folder / "run.json").is_file() else None
        if result is None or result.get("pairs") != pairs:
            return None
        return Outcome(name, result, was_finished=True)

    def _train(self, name: str, config: Config, kind: str, pairs: Mapping[str, Any]) -> Outcome:
        folder = self.folder / name
        if not (folder / "run.json").is_file():
            RunDirectory.create_at(folder, config, kind)
        exit_code = self.runner.run(cell_command(folder, **pairs), folder / LOG)
        result = _result(folder)
        if exit_code == 0 and result is not None:
            return Outcome(name, result)
        said = (folder / LOG).read_text("utf-8", errors="replace").strip().splitlines()
        failure = f"exit code {exit_code}; it said last: {said[-1] if said else 'nothing'}"
        return Outcome(name, None, failure)


def _weight(config: Config) -> float | None:
    """Lambda; training alone has none."""
    return None if config.distill.method == "none" else config.distill.weight


def _result(folder: Path) -> dict[str, Any] | None:
    """What cell.json holds; None if it is missing or damaged, and the cell is to be scored anew."""
    try:
        result = json.loads((folder / RESULT).read_text("utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return result if isinstance(result, dict) else None
