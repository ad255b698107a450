"""Plots of a study: metrics against the mismatch, the latents' cosine against the step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tfkd.experiment.result import SYSTEMS, by_seed, distinct
from tfkd.experiment.tables import TITLES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INCHES = (3.2, 2.6)  # of one panel


def metrics_figure(result: Mapping[str, Any]) -> Figure:
    """Every metric against the scenario, one line per method: mean over seeds, band of one standard
    deviation; float above, int8 below.
    """
    cells = result["cells"]
    scenarios = distinct(cells, "scenario")
    figure, axes = _panels(len(SYSTEMS), len(TITLES))
    for row, system in zip(axes, SYSTEMS, strict=True):
        for axis, (metric, title) in zip(row, TITLES.items(), strict=True):
            axis.set_title(f"{title}, {system}", fontsize="medium")
            for method in distinct(cells, "method"):
                values = [by_seed(cells, s, method, system, metric) for s in scenarios]
                have = [(i, list(v.values())) for i, v in enumerate(values) if v]
                _band(axis, [i for i, _ in have], [v for _, v in have], method)
            axis.set_xticks(range(len(scenarios)), scenarios, rotation=35, ha="right")
    _legend(figure, axes[0][0])
    return figure


def cosine_figure(result: Mapping[str, Any]) -> Figure | None:
    """Cosine between phi(student latent) and teacher latent on validation against the training
    step, for the methods that have phi; None if none has. One panel per scenario.
    """
    cells = [c for c in result["cells"] if "latent_cosine" in c["history"]]
    if not cells:
        return None
    scenarios = distinct(cells, "scenario")
    figure, axes = _panels(1, len(scenarios))
    for axis, scenario in zip(axes[0], scenarios, strict=True):
        axis.set_title(scenario, fontsize="medium")
        axis.set_xlabel("step")
        for method in distinct(cells, "method"):
            by_step: dict[int, list[float]] = {}
            for cell in cells:
                if (cell["scenario"], cell["method"]) == (scenario, method):
                    history = cell["history"]
                    for step, value in zip(history["step"], history["latent_cosine"], strict=True):
                        if value is not None:
                            by_step.setdefault(step, []).append(value)
            _band(axis, list(by_step), list(by_step.values()), method)
    axes[0][0].set_ylabel("cosine of the latents")
    _legend(figure, axes[0][0])
    return figure


def _panels(rows: int, columns: int) -> tuple[Figure, list[list[Axes]]]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(INCHES[0] * columns, INCHES[1] * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    return figure, [list(row) for row in axes]


def _legend(figure: Figure, axis: Axes) -> None:
    """The methods, beside the panels: over the lines of nine there is no room."""
    figure.legend(*axis.get_legend_handles_labels(), loc="outside right upper", fontsize="small")


def _band(axis: Axes, x: list[int], values: list[list[float]], label: str) -> None:
    """A line through the means, a band of one standard deviation where there are two or more."""
    means = np.array([np.mean(v) for v in values])
    spreads = np.array([np.std(v, ddof=1) if len(v) > 1 else 0.0 for v in values])
    (line,) = axis.plot(x, means, marker="o", markersize=3, label=label)
    axis.fill_between(x, means - spreads, means + spreads, alpha=0.15, color=line.get_color())
