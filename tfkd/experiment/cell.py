"""One training of a study in a process of its own: train, convert, evaluate; `cell.json` results.

The study starts `python -m tfkd.experiment.cell`, so that a training that crashes takes no other
along. The process holds the other end of its standard input to be the study's: when that closes,
the study has died, and the process ends too, so that a resumed study finds nobody at work.
"""

from __future__ import annotations

import csv
import json
import os
import sys
import threading
from collections.abc import Sequence
from math import isfinite, nan
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tfkd.errors import TfkdError
from tfkd.metrics import METRICS
from tfkd.train.run_directory import RunDirectory

if TYPE_CHECKING:
    from tfkd.evaluate import Evaluation, Pair

RESULT = "cell.json"
VALIDATION = "val_supervised_loss"
COSINE = "val_latent_cosine"
ORPHANED = 1


def cell_command(
    folder: Path, *, noisy: str | None, clean: str | None, limit: int | None
) -> list[str]:
    """The command that runs `run_cell`."""
    arguments = {"folder": str(folder), "noisy": noisy, "clean": clean, "limit": limit}
    return [sys.executable, "-m", "tfkd.experiment.cell", json.dumps(arguments)]


def run_cell(folder: Path, *, noisy: str | None, clean: str | None, limit: int | None) -> None:
    """Bring a run directory to its end, from wherever it stands, and write its `cell.json`, which
    says on what it was scored.

    Args:
        folder: a run directory; its configuration says everything about the training.
        noisy, clean: folders of test pairs; None: the training alone.
        limit: number of pairs, evenly spaced; None: all.
    """
    from tfkd.train.session import prepare, train_student, train_teacher

    run = RunDirectory.open(folder)
    run.check_recordings()
    prepare(run.config, threads=1)
    if run.state() != "finished":
        train = train_teacher if run.kind == "teacher" else train_student
        train(run)
    result = {"pairs": {"noisy": noisy, "clean": clean, "limit": limit}, **validation(run)}
    if noisy is not None and clean is not None:
        result |= scores(run, noisy, clean, limit)
    run.write_json(RESULT, result)


def scores(run: RunDirectory, noisy: str, clean: str, limit: int | None) -> dict[str, Any]:
    """Parameters, and system -> metric -> mean over the pairs; a teacher has no int8 form.

    The mean is over the pairs whose noisy recording has a value, for all cells the same. It is NaN
    where a model leaves one of them without, by silence for instance: a mean over fewer recordings
    would flatter it.
    """
    from tfkd.convert import convert_run
    from tfkd.engines.choice import KERAS, engine_factory
    from tfkd.evaluate import evaluate, find_pairs
    from tfkd.models.budget import budget

    engines = {"float": engine_factory(KERAS, str(run.path))()}
    if run.kind != "teacher":
        convert_run(run)
        engines["int8"] = engine_factory("tflite", str(run.path))()
    evaluation = evaluate(spread(find_pairs(noisy, clean), limit), engines, jobs=1)
    means = {
        system: {metric: common_mean(evaluation, system, metric) for metric in METRICS}
        for system in evaluation.systems
    }
    return {"parameters": budget(run.config.model).parameters, **means}


def common_mean(evaluation: Evaluation, system: str, metric: str) -> float:
    """Mean over the pairs whose noisy recording has a value; NaN if the system lacks one there."""
    from tfkd.evaluate import NOISY

    values = [
        scores.systems[system][metric]
        for scores in evaluation.scores
        if isfinite(scores.systems[NOISY][metric])
    ]
    return fmean(values) if values and all(map(isfinite, values)) else nan


def spread(pairs: Sequence[Pair], limit: int | None) -> list[Pair]:
    """`limit` pairs, evenly spaced, so that names sorted by SNR keep every SNR; None: all."""
    count = min(limit or len(pairs), len(pairs))
    return [pairs[i * len(pairs) // count] for i in range(count)]


def validation(run: RunDirectory) -> dict[str, Any]:
    """The lowest validation supervised loss of the float phase, and its curves over steps.

    Returns:
        valid_supervised_loss; history: step, supervised_loss and, where the method has the map phi,
        latent_cosine, one value per validation.
    """
    with run.history("float").open(newline="") as file:
        rows = list(csv.DictReader(file))
    losses = [float(row[VALIDATION]) for row in rows]
    train = run.config.train
    steps = [min((int(row["epoch"]) + 1) * train.epoch_steps, train.steps) for row in rows]
    history = {"step": steps, "supervised_loss": losses}
    if rows and COSINE in rows[0]:
        history["latent_cosine"] = [float(row[COSINE]) for row in rows]
    return {
        "valid_supervised_loss": min(loss for loss in losses if isfinite(loss)),
        "history": history,
    }


def end_with_the_study() -> None:
    """End this process as soon as standard input closes."""

    def watch() -> None:
        # not sys.stdin, whose lock this thread would hold when Python shuts down
        os.read(0, 1)
        os._exit(ORPHANED)

    threading.Thread(target=watch, daemon=True).start()


def main(arguments: str) -> int:
    """`arguments`: the keyword arguments of `run_cell` as a JSON object."""
    given = json.loads(arguments)
    try:
        run_cell(Path(given.pop("folder")), **given)
    except TfkdError as error:
        sys.stderr.write(f"Error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    end_with_the_study()
    sys.exit(main(sys.argv[1]))
