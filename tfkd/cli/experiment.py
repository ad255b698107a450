"""`tfkd experiment`: methods x mismatch scenarios x seeds, and what the comparison says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

import click

from tfkd.cli.output import console
from tfkd.errors import ConfigError, RunError

if TYPE_CHECKING:
    from tfkd.experiment.grid import Outcome
    from tfkd.experiment.processes import Runner
    from tfkd.experiment.study import Study

STUDIES = "studies"
PLAN = "study.toml"


@click.command()
@click.argument("study", metavar="[STUDY]", required=False)
@click.option("--speech", metavar="DIR", help="Clean speech.  [default: the study's, or the demo]")
@click.option("--noise", metavar="DIR", help="Noise.  [default: the study's, or the demo]")
@click.option("--rir", metavar="DIR", help="Room impulse responses.")
@click.option("--noisy", metavar="DIR", help="Test pairs.  [default: the study's, or the demo's]")
@click.option("--clean", metavar="DIR", help="Their clean partners, of the same names.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any configuration key."
)
@click.option("-o", "--output", metavar="DIR", help="The study's folder.  [default: studies/NAME]")
@click.option(
    "--jobs",
    type=click.IntRange(1),
    help="Trainings at a time, of one thread each.  [default: all cores]",
)
@click.option("--ray", "address", metavar="ADDRESS", help="Ray cluster that trains, or `local`.")
@click.option("--resume", metavar="DIR", help="Continue a study in its folder.")
@click.option("--summarise", metavar="STUDY.json", help="Write tables, plots and text anew; stop.")
def experiment(
    study: str | None,
    speech: str | None,
    noise: str | None,
    rir: str | None,
    noisy: str | None,
    clean: str | None,
    settings: tuple[str, ...],
    output: str | None,
    jobs: int | None,
    address: str | None,
    resume: str | None,
    summarise: str | None,
) -> None:
    """Compare distillation methods over mismatch scenarios and seeds.

    STUDY is a TOML file that names methods, scenarios and seeds, or a study that comes with tfkd:
    `smallest`. Trainings of one seed start from the same weights and see the same batches for as
    many steps. Lambda is tuned on validation recordings.

    Writes study.json, study.md, study.tex and plots into the study's folder, and prints the path
    of study.json. Exit code 1 if a training failed; the others are complete then. --resume runs
    those again, and after an edit of the folder's study.toml also what is new there.

    \b
    Example:
      tfkd experiment smallest
      tfkd experiment study.toml --speech speech --noise noise --jobs 2
      tfkd experiment --resume studies/study
    """
    given = {"data.speech": speech, "data.noise": noise, "data.rir": rir}
    settings += tuple(
        f"{key}={json.dumps(value, ensure_ascii=False)}" for key, value in given.items() if value
    )
    if summarise:
        from tfkd.experiment.summary import read_result, write_summary

        write_summary(read_result(Path(summarise)), Path(summarise).parent)
        return
    if bool(study) == bool(resume):
        raise click.UsageError("give either a STUDY or --resume DIR.")
    if resume and (settings or noisy or clean or output):
        raise click.UsageError("--resume continues a study as it was planned; drop the rest.")
    from tfkd.experiment.study import dump_study, read_study, with_pairs

    if resume:
        folder = Path(resume)
        plan = read_study(folder / PLAN)
    else:
        folder = Path(output or Path(STUDIES) / Path(str(study)).stem)
        plan = with_pairs(read_study(str(study), settings), noisy, clean)
        if (folder / PLAN).exists():
            raise RunError(
                f"{folder}: holds a study already. Continue it with --resume {folder}, or start "
                f"another with -o DIR."
            )
    _check(plan)
    if not resume:
        from tfkd.atomic import atomic_path

        folder.mkdir(parents=True, exist_ok=True)
        with atomic_path(folder / PLAN) as temporary:
            temporary.write_text(dump_study(plan), "utf-8")
    from tfkd.experiment.lock import sole_user

    with sole_user(folder):
        _run(plan, folder, _runner(jobs, address))


def _check(plan: Study) -> None:
    """Refuse what would fail in every cell, or be unfair, before anything is written."""
    from tfkd.distill import configured_loss
    from tfkd.experiment.study import cell_config, study_cells, teacher_config, tuning_cells
    from tfkd.models.teacher import check_frames, teacher_model_config

    if plan.test.noisy is not None and plan.test.clean is not None:
        from tfkd.evaluate import find_pairs

        find_pairs(plan.test.noisy, plan.test.clean)
    trained = None if plan.teacher is None else teacher_config(plan, plan.teacher).model
    for cell in (*tuning_cells(plan), *study_cells(plan, {})):
        config = cell_config(plan, cell)
        if config.train.patience:
            raise ConfigError(
                "a study trains every method for the same number of steps. Expected "
                f"train.patience=0. Received: {config.train.patience}."
            )
        if configured_loss(config.distill).uses_teacher:
            teacher = trained or teacher_model_config(config.distill.teacher)
            check_frames(config.model.frontend, teacher.frontend)


def _runner(jobs: int | None, address: str | None) -> Runner:
    if address is None:
        from tfkd.experiment.processes import Processes

        return Processes(jobs or os.cpu_count() or 1)
    from tfkd.experiment.ray_tasks import RayTasks

    return RayTasks(address)


def _run(plan: Study, folder: Path, runner: Runner) -> None:
    from tfkd.experiment.grid import LOG, TEACHER, Grid
    from tfkd.experiment.provenance import made_with
    from tfkd.experiment.result import study_result
    from tfkd.experiment.summary import write_result

    noisy, clean = plan.test.noisy, plan.test.clean
    if noisy is None or clean is None:
        from tfkd.data.demo import demo_corpus

        demo = demo_corpus()
        noisy, clean = str(demo.noisy), str(demo.clean)
    grid = Grid(plan, folder, noisy, clean, runner)
    grid.report = _reporter(grid.trainings)
    try:
        teacher = grid.train_teacher()
        chosen = grid.tune()
        outcomes = grid.run(chosen)
    except KeyboardInterrupt:
        click.echo(f"\nContinue with: tfkd experiment --resume {folder}", err=True)
        raise
    own_teacher = folder / TEACHER if plan.teacher else None
    result = study_result(outcomes, chosen, teacher, grid.tried)
    click.echo(write_result(result | {"made_with": made_with(plan, own_teacher)}, folder))
    if grid.failures:
        first = grid.failures[0]
        raise RunError(
            f"{len(grid.failures)} of {grid.trainings} trainings failed; the first: {first.name}, "
            f"{first.failure}. See {folder / first.name / LOG}. Try them again with --resume "
            f"{folder}."
        )


def _reporter(total: int) -> Callable[[Outcome], None]:
    """Says on stderr what became of every training and how long the rest will take."""
    started, done, trained = monotonic(), 0, 0

    def report(outcome: Outcome) -> None:
        nonlocal done, trained
        done += 1
        if outcome.was_finished:
            return
        trained += 1
        left_s = (monotonic() - started) / trained * (total - done)
        said = f"failed: {outcome.failure}" if outcome.result is None else "done"
        console().print(
            f"[{done}/{total}] {outcome.name}: {said}; {_duration(left_s)} left", markup=False
        )

    return report


def _duration(seconds: float) -> str:
    """ "45 s", "12 min", "3.4 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
