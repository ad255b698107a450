"""One cell of a study in a process of its own: train, convert, evaluate; `cell.json` is its result.

The study starts `python -m tfkd.experiment.cell`, so that a cell that crashes takes no other along.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Any

from tfkd.errors import TfkdError
from tfkd.train.run_directory import RunDirectory

RESULT = "cell.json"


def run_cell(folder: Path, *, noisy: Path | None, clean: Path | None, limit: int | None) -> None:
    """Bring a run directory to its end, from wherever it stands, and write its `cell.json`.

    Args:
        folder: a run directory; its configuration says everything about the training.
        noisy, clean: test pairs; None: the training alone (lambda is being tuned).
        limit: number of pairs; None: all.
    """
    from tfkd.convert import convert_run
    from tfkd.engines.choice import KERAS, engine_factory
    from tfkd.evaluate import evaluate, find_pairs
    from tfkd.train.session import prepare, train_student

    run = RunDirectory.open(folder)
    prepare(run.config, threads=1)
    if run.state() != "finished":
        train_student(run)
    result: dict[str, Any] = {"valid_supervised_loss": best_validation(run)}
    if noisy is not None and clean is not None:
        convert_run(run)
        engines = {
            "float": engine_factory(KERAS, str(folder))(),
            "int8": engine_factory("tflite", str(folder))(),
        }
        evaluation = evaluate(find_pairs(noisy, clean)[:limit], engines, jobs=1)
        for system in evaluation.systems:
            means = evaluation.means(system, evaluation.scores)
            result[system] = {metric: interval.mean for metric, interval in means.items()}
    run.write_json(RESULT, result)


def best_validation(run: RunDirectory) -> float:
    """The lowest validation supervised loss of the float phase."""
    with run.history("float").open(newline="") as file:
        return min(float(row["val_supervised_loss"]) for row in csv.DictReader(file))


def main(arguments: str) -> int:
    """`arguments`: the keyword arguments of `run_cell` as a JSON object."""
    given = json.loads(arguments)
    paths = {key: Path(given[key]) if given[key] else None for key in ("noisy", "clean")}
    try:
        run_cell(Path(given["folder"]), limit=given["limit"], **paths)
    except TfkdError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
