"""What a study comes to: the object of `study.json`, and the comparisons within it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from pathlib import Path
from statistics import mean
from typing import Any

from tfkd.experiment.grid import Outcome
from tfkd.experiment.statistics import holm, paired_comparison
from tfkd.experiment.study import Cell
from tfkd.json_numbers import finite
from tfkd.metrics import METRICS

SCHEMA = 1
SYSTEMS = ("float", "int8")
REFERENCES = ("none", "hint")
OVERALL = "the mean over scenarios"

Cells = Sequence[Mapping[str, Any]]


def study_result(
    outcomes: Iterable[tuple[Cell, Outcome]],
    weights: Mapping[str, float],
    teacher: Mapping[str, Any] | None = None,
    tried: Iterable[tuple[Cell, Outcome]] = (),
) -> dict[str, Any]:
    """The object of study.json.

    Returns:
        schema; weights (the tuned lambdas); tuning (method, weight and valid_supervised_loss of
        every candidate `tried`, null where it failed); teacher (the scores of the study's own, else
        null); cells (method, scenario, seed, weight, the four metrics of the float model, `int8`
        with the same four, `noisy` likewise, parameters, valid_supervised_loss, history); failed
        (method, scenario, seed, why); comparisons (see `comparisons`).
    """
    cells, failed = [], []
    for cell, outcome in outcomes:
        key = {"method": cell.method, "scenario": Path(cell.scenario).stem, "seed": cell.seed}
        if outcome.result is None:
            failed.append({**key, "why": outcome.failure})
            continue
        other = {k: value for k, value in outcome.result.items() if k not in ("float", "pairs")}
        cells.append({**key, "weight": cell.weight, **outcome.result["float"], **other})
    result = {
        "schema": SCHEMA,
        "weights": dict(weights),
        "tuning": [_candidate(cell, outcome) for cell, outcome in tried],
        "teacher": {k: v for k, v in teacher.items() if k != "pairs"} if teacher else None,
        "cells": cells,
        "failed": failed,
        "comparisons": comparisons(cells),
    }
    return finite(result)


def _candidate(cell: Cell, outcome: Outcome) -> dict[str, Any]:
    loss = outcome.result["valid_supervised_loss"] if outcome.result else None
    return {"method": cell.method, "weight": cell.weight, "valid_supervised_loss": loss}


def comparisons(cells: Cells) -> list[dict[str, Any]]:
    """Every method against `none` and `hint`, paired over seeds: per scenario, and of the means
    over scenarios.

    Holm's correction runs over all comparisons of one system and metric, scenarios, methods and
    references together; those of the means over scenarios are a family of their own. `family` is
    how many of them could be tested.
    """
    scenarios = distinct(cells, "scenario")
    families = [scenarios, [OVERALL]] if len(scenarios) > 1 else [scenarios]
    rows = []
    for system in SYSTEMS:
        for metric in METRICS:
            for family in families:
                compared = [
                    row
                    for scenario in family
                    for method, reference in _opponents(distinct(cells, "method"))
                    for row in _compare(cells, scenario, method, reference, system, metric)
                ]
                corrected = holm([row["p_value"] for row in compared])
                tested = sum(map(isfinite, corrected))
                for row, p_holm in zip(compared, corrected, strict=True):
                    rows.append({**row, "p_holm": p_holm, "family": tested})
    return finite(rows)


def _opponents(methods: Sequence[str]) -> list[tuple[str, str]]:
    """(method, reference): all against `none`, then all but `none` against `hint`."""
    return [
        (method, reference)
        for reference in REFERENCES
        for method in methods
        if method != reference and method != "none"
    ]


def _compare(
    cells: Cells, scenario: str, method: str, reference: str, system: str, metric: str
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


def by_seed(cells: Cells, scenario: str, method: str, system: str, metric: str) -> dict[int, float]:
    """Seed -> value, of the finished cells whose value is defined.

    The value of `OVERALL` is the mean over scenarios, of the seeds that have them all.
    """
    if scenario == OVERALL:
        each = [by_seed(cells, s, method, system, metric) for s in distinct(cells, "scenario")]
        seeds = set.intersection(*(set(values) for values in each))
        return {seed: mean(values[seed] for values in each) for seed in sorted(seeds)}
    values = {
        cell["seed"]: (cell if system == "float" else cell[system])[metric]
        for cell in cells
        if cell["scenario"] == scenario and cell["method"] == method
    }
    return {seed: v for seed, v in values.items() if v is not None and isfinite(v)}


def distinct(cells: Cells, key: str) -> list[str]:
    """Values of a key in order of appearance."""
    return list(dict.fromkeys(cell[key] for cell in cells))
