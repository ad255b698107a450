"""What a study comes to: `study.json`, and from it alone tables and comparisons."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from tfkd.experiment.grid import Outcome
from tfkd.experiment.statistics import holm, paired_comparison
from tfkd.metrics import METRICS

SCHEMA = 1
SYSTEMS = ("float", "int8")
REFERENCES = ("none", "hint")
DIGITS = {"pesq_wb": 3, "stoi": 3, "estoi": 3, "si_sdr": 2}
TITLES = {"pesq_wb": "PESQ-WB", "stoi": "STOI", "estoi": "ESTOI", "si_sdr": "SI-SDR dB"}


def study_result(outcomes: Iterable[Outcome], weights: Mapping[str, float]) -> dict[str, Any]:
    """The object of study.json.

    Returns:
        schema, weights (the tuned lambdas), cells (method, scenario, seed, weight, the four metrics
        of the float model, `int8` with the same four, `noisy` likewise, valid_supervised_loss),
        failed (method, scenario, seed, why), comparisons (see `comparisons`).
    """
    cells, failed = [], []
    for outcome in outcomes:
        cell = outcome.cell
        key = {"method": cell.method, "scenario": Path(cell.scenario).stem, "seed": cell.seed}
        if outcome.result is None:
            failed.append({**key, "why": outcome.failure, "folder": str(outcome.folder)})
            continue
        other = {name: value for name, value in outcome.result.items() if name != "float"}
        cells.append({**key, "weight": cell.weight, **outcome.result["float"], **other})
    return {
        "schema": SCHEMA,
        "weights": dict(weights),
        "cells": cells,
        "failed": failed,
        "comparisons": comparisons(cells),
    }


def comparisons(cells: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every method against `none` and `hint`, paired over seeds.

    Holm's correction runs over all comparisons of one system and metric: scenarios, methods and
    references together.
    """
    rows = []
    for system in SYSTEMS:
        for metric in METRICS:
            family = [
                row
                for scenario in distinct(cells, "scenario")
                for reference in REFERENCES
                for method in distinct(cells, "method")
                if method != reference and not (reference == "hint" and method == "none")
                for row in _compare(cells, scenario, method, reference, system, metric)
            ]
            corrected = holm([row["p_value"] for row in family])
            for row, p_holm in zip(family, corrected, strict=True):
                rows.append({key: _json(v) for key, v in {**row, "p_holm": p_holm}.items()})
    return rows


def _compare(
    cells: Sequence[Mapping[str, Any]],
    scenario: str,
    method: str,
    reference: str,
    system: str,
    metric: str,
) -> list[dict[str, Any]]:
    """One row, or none when the two share no seed."""
    ours = by_seed(cells, scenario, method, system, metric)
    theirs = by_seed(cells, scenario, reference, system, metric)
    seeds = sorted(ours.keys() & theirs.keys())
    if not seeds:
        return []
    found = paired_comparison([ours[s] for s in seeds], [theirs[s] for s in seeds])
    return [
        {
            "scenario": scenario,
            "method": method,
            "reference": reference,
            "system": system,
            "metric": metric,
            "pairs": found.pairs,
            "difference": found.difference,
            "standard_deviation": found.standard_deviation,
            "effect_size": found.effect_size,
            "p_value": found.p_value,
        }
    ]


def by_seed(
    cells: Sequence[Mapping[str, Any]], scenario: str, method: str, system: str, metric: str
) -> dict[int, float]:
    """Seed -> value, of the finished cells whose value is defined."""
    values = {
        cell["seed"]: (cell if system == "float" else cell[system])[metric]
        for cell in cells
        if cell["scenario"] == scenario and cell["method"] == method
    }
    return {seed: v for seed, v in values.items() if v is not None and isfinite(v)}


def distinct(cells: Sequence[Mapping[str, Any]], key: str) -> list[str]:
    """Values of a key in order of appearance."""
    return list(dict.fromkeys(cell[key] for cell in cells))


def markdown_table(result: Mapping[str, Any]) -> str:
    """Mean +- standard deviation over seeds per scenario, system and method."""
    head = ["scenario", "method", "system", "seeds", *TITLES.values()]
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in _rows(result, "±")]
    return "\n".join(lines) + "\n"


def latex_table(result: Mapping[str, Any]) -> str:
    """The same as a LaTeX tabular."""
    head = ["scenario", "method", "system", "seeds", *TITLES.values()]
    body = [
        " & ".join(cell.replace("_", r"\_") for cell in row) + r" \\"
        for row in _rows(result, r"$\pm$")
    ]
    columns = "lll" + "r" * (len(head) - 3)
    return "\n".join(
        [rf"\begin{{tabular}}{{{columns}}}", r"\hline", " & ".join(head) + r" \\", r"\hline"]
        + [*body, r"\hline", r"\end{tabular}", ""]
    )


def _rows(result: Mapping[str, Any], plus_minus: str) -> list[list[str]]:
    cells = result["cells"]
    rows = []
    for scenario in distinct(cells, "scenario"):
        for system in SYSTEMS:
            for method in distinct(cells, "method"):
                values = {m: by_seed(cells, scenario, method, system, m) for m in DIGITS}
                count = max(len(v) for v in values.values())
                numbers = [
                    _number(list(values[m].values()), digits, plus_minus)
                    for m, digits in DIGITS.items()
                ]
                rows.append([scenario, method, system, str(count), *numbers])
    return rows


def _number(values: Sequence[float], digits: int, plus_minus: str) -> str:
    if not values:
        return "-"
    if len(values) == 1:
        return f"{values[0]:.{digits}f}"
    return f"{mean(values):.{digits}f} {plus_minus} {stdev(values):.{digits}f}"


def _json(value: Any) -> Any:
    """Undefined numbers are null in JSON."""
    return None if isinstance(value, float) and not isfinite(value) else value
