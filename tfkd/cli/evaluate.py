"""`tfkd evaluate`: objective quality of a model, next to the noisy input."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.model_options import attenuation_option
from tfkd.cli.output import console, print_json, progress, working
from tfkd.engines.choice import DEFAULT_MODEL, KERAS, engine_factory
from tfkd.errors import MissingPackageError, ModelError
from tfkd.released import find_tflite

if TYPE_CHECKING:
    from tfkd.engines.engine import Engine
    from tfkd.evaluate import Evaluation

_SYSTEMS = {
    "float": KERAS,
    "int8": "tflite",
    "int8-tflm": "tflm",
    "int8-firmware-ref": "firmware-ref",
    "int8-c": "c",
}


@click.command()
@click.argument("model", metavar="[NAME|RUN|FILE]", default=DEFAULT_MODEL)
@click.option(
    "--noisy", metavar="DIR", help="Noisy recordings.  [default: the demo's held-out pairs]"
)
@click.option("--clean", metavar="DIR", help="Their clean partners, of the same names.")
@click.option("--manifest", metavar="CSV", help="SNRs: columns path and snr_db.")
@click.option(
    "--system",
    "systems",
    multiple=True,
    type=click.Choice(list(_SYSTEMS)),
    help="What to score besides the noisy input; repeatable.  [default: float, int8, int8-tflm, "
    "as far as the model has them]",
)
@click.option(
    "--other",
    "others",
    multiple=True,
    metavar="LABEL=DIR",
    help="Score what another denoiser made of the noisy recordings too: a folder of files of the "
    "same names; repeatable.",
)
@attenuation_option
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes for the metrics.  [default: all cores]"
)
@click.option("--limit", type=click.IntRange(1), help="Score the first N pairs only.")
@click.option("--files", is_flag=True, help="Include the scores of every pair in the JSON object.")
@click.option("--json/--no-json", "as_json", default=True, help="One JSON object on stdout.")
def evaluate(
    model: str,
    noisy: str | None,
    clean: str | None,
    manifest: str | None,
    systems: tuple[str, ...],
    others: tuple[str, ...],
    max_attenuation_db: float | None,
    jobs: int | None,
    limit: int | None,
    files: bool,
    as_json: bool,
) -> None:
    """Score a model: PESQ-WB, STOI, ESTOI and SI-SDR.

    Scores the noisy input, the float model and int8. Means per SNR with 95 % intervals, and
    paired differences with their standard errors. The table goes to stderr, one JSON object to
    stdout.

    \b
    Example:
      tfkd evaluate runs/latest
      tfkd evaluate tiny --noisy noisy_testset_wav --clean clean_testset_wav > scores.json
      tfkd evaluate tiny --noisy noisy --clean clean --other rnnoise=denoised_by_rnnoise
    """
    if (noisy is None) != (clean is None):
        raise click.UsageError("--noisy and --clean belong together.")
    folders = _folders(others)
    from tfkd.evaluate import evaluate as evaluate_pairs
    from tfkd.evaluate import find_others, find_pairs

    if noisy is None or clean is None:
        from tfkd.data.demo import demo_corpus

        with working("making the demo's pairs"):
            demo = demo_corpus()
        noisy, clean = str(demo.noisy), str(demo.clean)
    pairs = find_pairs(noisy, clean, manifest)[:limit]
    recordings = {label: find_others(folder, pairs) for label, folder in folders.items()}
    with working("loading"):
        engines = _engines(model, systems, max_attenuation_db)
    with progress("evaluating", len(pairs)) as advance:
        evaluation = evaluate_pairs(pairs, engines, jobs, advance, others=recordings)
    _print_tables(evaluation)
    if as_json:
        how = {"model": model, "max_attenuation_db": max_attenuation_db}
        print_json("evaluate", {**how, **_as_dict(evaluation, files)})


def _folders(others: tuple[str, ...]) -> dict[str, str]:
    """Label -> folder of each LABEL=DIR.

    Raises:
        click.UsageError: one is not of that form, or its label is taken.
    """
    folders: dict[str, str] = {}
    for text in others:
        label, _, folder = text.partition("=")
        if not (label and folder):
            raise click.UsageError(
                f"--other takes LABEL=DIR, such as rnnoise=outputs. Received: {text!r}."
            )
        if label in {"noisy", *_SYSTEMS, *folders}:
            raise click.UsageError(f"--other {text}: the label {label!r} is taken. Choose another.")
        folders[label] = folder
    return folders


def _engines(
    model: str, systems: tuple[str, ...], max_attenuation_db: float | None
) -> dict[str, Engine]:
    """System -> engine; of the default systems, as many as model and installation have."""

    def opened(system: str) -> Engine:
        return engine_factory(_SYSTEMS[system], model, max_attenuation_db)()

    if systems:
        return {system: opened(system) for system in systems}
    engines: dict[str, Engine] = {}
    if Path(model).is_dir() and (Path(model) / "config.toml").is_file():
        engines["float"] = opened("float")
    try:
        find_tflite(model)
    except ModelError:
        if not engines:
            raise
        return engines  # a run that is not converted yet
    engines["int8"] = opened("int8")
    try:
        engines["int8-tflm"] = opened("int8-tflm")
    except MissingPackageError as error:
        click.echo(f"Left out int8-tflm: {error}", err=True)
    return engines


def _as_dict(evaluation: Evaluation, files: bool) -> dict[str, Any]:
    groups = evaluation.groups()
    result: dict[str, Any] = {
        "pairs": len(evaluation.scores),
        "systems": {
            system: {
                name: {metric: asdict(i) for metric, i in evaluation.means(system, group).items()}
                for name, group in groups.items()
            }
            for system in evaluation.systems
        },
        "differences": {
            f"{system} - {reference}": {
                metric: asdict(i) for metric, i in evaluation.differences(system, reference).items()
            }
            for system, reference in evaluation.comparisons()
        },
    }
    if files:
        result["files"] = [
            {"name": scores.pair.name, "snr_db": scores.pair.snr_db, **scores.systems}
            for scores in evaluation.scores
        ]
    return result


def _print_tables(evaluation: Evaluation) -> None:
    from rich.box import SIMPLE
    from rich.table import Table

    from tfkd.metrics import METRICS

    means = Table(
        title="mean ± half of the 95 % interval", title_justify="left", box=SIMPLE, pad_edge=False
    )
    for heading in ("SNR dB", "pairs", "system", *METRICS):
        means.add_column(heading, justify="left" if heading == "system" else "right", no_wrap=True)
    for snr, group in evaluation.groups().items():
        for system in evaluation.systems:
            intervals = evaluation.means(system, group)
            cells = [
                _cell(intervals[name].mean, intervals[name].half_width, f".{metric.digits}f")
                for name, metric in METRICS.items()
            ]
            means.add_row(snr, str(len(group)), system, *cells)
        means.add_section()
    paired = Table(
        title="paired difference ± its standard error",
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
    )
    for heading in ("systems", *METRICS):
        paired.add_column(
            heading, justify="left" if heading == "systems" else "right", no_wrap=True
        )
    for system, reference in evaluation.comparisons():
        intervals = evaluation.differences(system, reference)
        cells = [
            _cell(intervals[name].mean, intervals[name].standard_error, f"+.{metric.digits}f")
            for name, metric in METRICS.items()
        ]
        paired.add_row(f"{system} - {reference}", *cells)
    for table in (means, paired):
        console().print(table)
    for name, metric in METRICS.items():
        left_out = evaluation.left_out(name)
        if left_out:
            console().print(
                f"{metric.title} leaves out {left_out} of {len(evaluation.scores)} pairs: a system "
                f"has no value there (silence, or too little speech)."
            )


def _cell(mean: float, reach: float, form: str) -> str:
    """As in "1.656±0.144"; without the reach where one value is all there is, "-" without any."""
    if math.isnan(mean):
        return "-"
    return f"{mean:{form}}" + ("" if math.isnan(reach) else f"±{reach:{form.removeprefix('+')}}")
