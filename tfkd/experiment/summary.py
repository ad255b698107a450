"""The pages of a study, made from its `study.json` alone: text, tables, plots."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tfkd.atomic import atomic_path
from tfkd.errors import RunError
from tfkd.experiment.plots import cosine_figure, metrics_figure
from tfkd.experiment.result import SCHEMA, SYSTEMS, comparisons
from tfkd.experiment.study_file import StudyFile
from tfkd.experiment.tables import (
    candidate_table,
    comparison_table,
    latex_table,
    markdown_table,
    score_text,
)
from tfkd.experiment.verdict import verdict

RESULT = "study.json"
PAGE = "study.md"
LATEX = "study.tex"
METRICS = "metrics.png"
COSINE = "latent_cosine.png"


def read_result(path: Path) -> dict[str, Any]:
    """Read a study.json; its comparisons are made anew, so that they follow from its cells.

    Raises:
        RunError: it is missing, no JSON, of another schema, or lacks what the pages tell.
    """
    try:
        result: dict[str, Any] = json.loads(path.read_text("utf-8"))
        schema = result["schema"]
    except OSError as error:
        raise RunError(f"{path}: cannot be read ({error.strerror}).") from error
    except (ValueError, KeyError, TypeError) as error:
        raise RunError(f"{path}: expected a study.json of `tfkd experiment`. {error}") from error
    if schema != SCHEMA:
        raise RunError(f"{path}: study of schema {schema}. Expected schema {SCHEMA}.")
    try:
        StudyFile.model_validate(result)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"]))
        message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
        raise RunError(
            f"{path}: is damaged: {key + ': ' if key else ''}{message}. Expected a study.json as "
            f"`tfkd experiment` writes it; --resume of the study's folder writes it anew."
        ) from error
    return {**result, "comparisons": comparisons(result["cells"])}


def write_result(result: Mapping[str, Any], folder: Path) -> Path:
    """Write study.json and everything that follows from it; returns its path."""
    with atomic_path(folder / RESULT) as temporary:
        temporary.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    write_summary(result, folder)
    return folder / RESULT


def write_summary(result: Mapping[str, Any], folder: Path) -> None:
    """Write study.md, study.tex, metrics.png and, where a method has the map phi,
    latent_cosine.png.
    """
    for name, text in ((PAGE, page(result)), (LATEX, latex_table(result))):
        with atomic_path(folder / name) as temporary:
            temporary.write_text(text, "utf-8")
    if not result["cells"]:
        return
    for name, figure in ((METRICS, metrics_figure(result)), (COSINE, cosine_figure(result))):
        if figure is not None:
            with atomic_path(folder / name) as temporary:
                figure.savefig(temporary, format="png", dpi=120)


def page(result: Mapping[str, Any]) -> str:
    """The study as a Markdown page."""
    parts = ["# What the study says", "Made by `tfkd experiment` from study.json.", verdict(result)]
    if result["cells"]:
        parts += [
            "## Mean ± standard deviation over seeds",
            _references(result),
            markdown_table(result),
            f"![metrics by scenario and method]({METRICS})",
        ]
        if any("latent_cosine" in cell["history"] for cell in result["cells"]):
            parts.append(f"![cosine of the latents by step]({COSINE})")
        if result["tuning"]:
            parts += ["## Candidates for lambda", candidate_table(result)]
        parts.append("## Comparisons")
        for system in SYSTEMS:
            parts += [f"### {system}", comparison_table(result, system)]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _references(result: Mapping[str, Any]) -> str:
    """What noisy input and teacher reach, and how large teacher and students are."""
    lines = [f"Noisy input: {score_text(result['cells'][0]['noisy'])}."]
    teacher = result["teacher"]
    if teacher:
        lines.append(
            f"Teacher ({teacher['parameters']:,} parameters): {score_text(teacher['float'])}."
        )
    sizes = {cell["scenario"]: cell["parameters"] for cell in result["cells"]}
    listed = ", ".join(f"{scenario} {count:,}" for scenario, count in sizes.items())
    lines.append(f"Parameters of the students: {listed}.")
    return "  \n".join(lines)
