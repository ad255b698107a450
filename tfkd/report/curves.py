"""Training curves from a run's history files."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from tfkd.errors import RunError
from tfkd.report.axis import Axis, linear_axis, path
from tfkd.train.run_directory import RunDirectory

PHASES = ("float", "qat")


@dataclass(frozen=True)
class Curve:
    """One quantity over the training: paths of training and validation in a box of 100 x 100.

    `qat_from` is where quantisation-aware training begins, in percent of the axis; None without.
    """

    title: str
    x: Axis
    y: Axis
    train: tuple[str, ...]
    valid: tuple[str, ...]
    qat_from: float | None
    last: str


def read_curves(run: RunDirectory) -> list[Curve]:
    """Losses, and the cosine of the latents where it was recorded, of all phases that have begun.

    Raises:
        RunError: a history file is damaged.
    """
    phases = {phase: _rows(run.history(phase)) for phase in PHASES}
    if not any(phases.values()):
        return []
    epoch_steps = run.config.train.epoch_steps
    longest = {"float": run.config.train.steps, "qat": run.config.quantize.steps}
    float_steps = min(len(phases["float"]) * epoch_steps, longest["float"])
    starts = {"float": 0, "qat": float_steps}
    method = run.config.distill.method
    titles = {
        "supervised_loss": "Supervised loss",
        "distillation_loss": f"Distillation loss ({method})",
        "latent_cosine": "Cosine of the latents",
    }
    curves = []
    for key, title in titles.items():
        lines: dict[str, list[list[tuple[float, float]]]] = {key: [], f"val_{key}": []}
        for phase, rows in phases.items():
            for column, segments in lines.items():
                values = [row.get(column, math.nan) for row in rows]
                segments.append(
                    [
                        (starts[phase] + min((epoch + 1.0) * epoch_steps, longest[phase]), value)
                        for epoch, value in enumerate(values)
                    ]
                )
        points = [point for segments in lines.values() for line in segments for point in line]
        heights = [value for _, value in points if math.isfinite(value)]
        if not any(heights):  # a run without distillation
            continue
        x = linear_axis("training step", [], low=0.0, high=max(step for step, _ in points))
        y = linear_axis(title, [0.0, *heights])  # a cosine begins anywhere around 0
        valid = [value for line in lines[f"val_{key}"] for _, value in line]
        curves.append(
            Curve(
                title,
                x,
                y,
                tuple(path(line, x, y) for line in lines[key]),
                tuple(path(line, x, y) for line in lines[f"val_{key}"]),
                x.place(float_steps) if phases["qat"] else None,
                f"{valid[-1]:.4f}" if valid and math.isfinite(valid[-1]) else "",
            )
        )
    return curves


def _rows(file: Path) -> list[dict[str, float]]:
    """One dictionary per epoch; empty for a phase that has not begun."""
    if not file.is_file():
        return []
    try:
        with file.open(newline="", encoding="utf-8") as lines:
            return [
                {key: float(value) for key, value in row.items() if value}
                for row in csv.DictReader(lines)
            ]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise RunError(f"{file}: cannot be read as a training history ({error}).") from error
