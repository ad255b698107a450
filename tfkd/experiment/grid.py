"""Run the cells of a study, several at a time, each in a process of its own; resume and report.

A study's folder:
  study.json         the result
  study.md, .tex     its tables
  tuning/<method>/<weight>/               trainings that choose lambda
  cells/<scenario>/<method>/seed<n>/      run directories; `cell.json` is a finished cell's result
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfkd.errors import RunError
from tfkd.experiment.cell import RESULT
from tfkd.experiment.study import Cell, Study, cell_config, study_cells, tuning_cells
from tfkd.train.run_directory import RunDirectory

LOG = "cell.log"


@dataclass(frozen=True)
class Outcome:
    """A cell with its result, or how it failed."""

    cell: Cell
    folder: Path
    result: Mapping[str, Any] | None
    failure: str | None = None


class Grid:
    """The cells of one study in one folder.

    Args:
        study: the plan.
        folder: where everything goes.
        jobs: cells at a time.
        advance: is told of every outcome.
    """

    def __init__(
        self,
        study: Study,
        folder: Path,
        jobs: int = 1,
        advance: Callable[[Outcome], None] = lambda outcome: None,
    ) -> None:
        self.study = study
        self.folder = folder
        self.jobs = jobs
        self.advance = advance

    def tune(self) -> dict[str, float]:
        """Choose lambda per method: the candidate with the lowest validation supervised loss.

        Rule: one training per candidate on the first scenario with a seed of its own, all else as
        in the study; the best epoch of the float phase counts; test recordings play no part.

        Raises:
            RunError: no candidate of a method could be trained.
        """
        outcomes = self._run(list(tuning_cells(self.study)), noisy=None, clean=None)
        chosen: dict[str, tuple[float, float]] = {}
        for outcome in outcomes:
            if outcome.result is not None and outcome.cell.weight is not None:
                candidate = (float(outcome.result["valid_supervised_loss"]), outcome.cell.weight)
                method = outcome.cell.method
                chosen[method] = min(candidate, chosen.get(method, candidate))
        for outcome in outcomes:
            if outcome.cell.method not in chosen:
                raise RunError(
                    f"{outcome.folder}: no lambda of '{outcome.cell.method}' could be trained; the "
                    f"last failure: {outcome.failure}. See {outcome.folder / LOG}."
                )
        return {method: weight for method, (_, weight) in chosen.items()}

    def run(self, chosen: Mapping[str, float], noisy: Path, clean: Path) -> list[Outcome]:
        """Train and score every cell; failed ones are reported and stop nothing."""
        return self._run(study_cells(self.study, chosen), noisy=noisy, clean=clean)

    def _run(
        self, cells: Sequence[Cell], *, noisy: Path | None, clean: Path | None
    ) -> list[Outcome]:
        outcomes: dict[Cell, Outcome] = {}
        with ThreadPoolExecutor(self.jobs) as pool:
            futures = [pool.submit(self._run_cell, cell, noisy, clean) for cell in cells]
            try:
                for future in as_completed(futures):
                    outcome = future.result()
                    outcomes[outcome.cell] = outcome
                    self.advance(outcome)
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [outcomes[cell] for cell in cells]

    def _run_cell(self, cell: Cell, noisy: Path | None, clean: Path | None) -> Outcome:
        folder = self.folder / cell.name
        config = cell_config(self.study, cell)
        if (folder / "run.json").is_file():
            if RunDirectory.open(folder).config != config:
                shutil.rmtree(folder)  # the plan has changed, such as a newly tuned lambda
            elif (folder / RESULT).is_file():
                return Outcome(cell, folder, json.loads((folder / RESULT).read_text("utf-8")))
        if not (folder / "run.json").is_file():
            RunDirectory.create_at(folder, config, "student")
        arguments = {
            "folder": str(folder),
            "noisy": str(noisy) if noisy else None,
            "clean": str(clean) if clean else None,
            "limit": self.study.limit,
        }
        command = [sys.executable, "-m", "tfkd.experiment.cell", json.dumps(arguments)]
        exit_code = run_process(command, folder / LOG)
        if exit_code == 0 and (folder / RESULT).is_file():
            return Outcome(cell, folder, json.loads((folder / RESULT).read_text("utf-8")))
        said = (folder / LOG).read_text("utf-8", errors="replace").strip().splitlines()
        failure = f"exit code {exit_code}; it said last: {said[-1] if said else 'nothing'}"
        return Outcome(cell, folder, None, failure)


def run_process(command: Sequence[str], log_file: Path) -> int:
    """Run a cell's process to its end, what it says appended to `log_file`; its exit code."""
    with log_file.open("a", encoding="utf-8") as output:
        return subprocess.run(
            command, stdout=output, stderr=subprocess.STDOUT, check=False
        ).returncode
