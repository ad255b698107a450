"""`tfkd experiment`: methods x mismatch scenarios x seeds, and what the comparison says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfkd.cli.output import console, progress
from tfkd.errors import RunError

if TYPE_CHECKING:
    from tfkd.experiment.grid import Outcome


@click.command()
@click.argument("study", metavar="STUDY.toml", type=click.Path(dir_okay=False))
@click.option("-o", "--output", metavar="DIR", help="The study's folder.  [default: studies/NAME]")
@click.option("--jobs", type=click.IntRange(1), default=1, help="Cells that train at a time.")
@click.option("--resume", is_flag=True, help="Continue in a folder that has cells already.")
def experiment(study: str, output: str | None, jobs: int, resume: bool) -> None:
    """Compare distillation methods over mismatch scenarios and seeds.

    STUDY.toml names methods, scenarios and seeds. Cells of one seed start from the same weights
    and see the same batches for as many steps; each trains in one thread.

    Writes study.json, study.md and study.tex, and prints the path of study.json. Exit code 1 if
    a cell failed; the others are complete then.

    \b
    Example:
      tfkd experiment study.toml --jobs 2
      tfkd experiment study.toml --resume
    """
    from tfkd.atomic import atomic_path
    from tfkd.experiment.grid import LOG, Grid
    from tfkd.experiment.result import latex_table, markdown_table, study_result
    from tfkd.experiment.study import read_study, study_cells, tuning_cells

    plan = read_study(study)
    folder = Path(output) if output else Path("studies") / Path(study).stem
    if folder.exists() and any(folder.iterdir()) and not resume:
        raise RunError(
            f"{folder}: exists already. Pass --resume to continue it, or another folder with -o."
        )
    noisy, clean = plan.noisy, plan.clean
    if noisy is None or clean is None:
        from tfkd.data.demo import demo_corpus

        demo = demo_corpus()
        noisy, clean = str(demo.noisy), str(demo.clean)
    total = len(study_cells(plan, {})) + len(list(tuning_cells(plan)))
    with progress("cells", total) as advance:

        def report(outcome: Outcome) -> None:
            advance(1)
            said = "failed: " + str(outcome.failure) if outcome.result is None else "done"
            console().print(f"{outcome.cell.name}: {said}")

        grid = Grid(plan, folder, jobs, report)
        chosen = grid.tune()
        outcomes = grid.run(chosen, Path(noisy), Path(clean))
    result = study_result(outcomes, chosen)
    texts = {
        "study.json": json.dumps(result, indent=2) + "\n",
        "study.md": markdown_table(result),
        "study.tex": latex_table(result),
    }
    for name, text in texts.items():
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, "utf-8")
    click.echo(folder / "study.json")
    if result["failed"]:
        raise RunError(
            f"{len(result['failed'])} of {len(outcomes)} cells failed, the first is "
            f"{result['failed'][0]['folder']}; see its {LOG}. Run again with --resume."
        )
