"""Comparisons worked out by hand."""

import json
from math import nan

import pytest
from synthetic_study import CLEAR, cell

from tfkd.experiment.grid import Outcome
from tfkd.experiment.result import OVERALL, by_seed, comparisons, study_result
from tfkd.experiment.study import Cell

VALUES = {"none": (2.0, 2.1, 2.3), "hint": (2.0, 2.2, 2.3), "two_step": (2.1, 2.4, 2.7)}
CELLS = [
    cell(method, "width", seed, value, value - 0.5)
    for method, values in VALUES.items()
    for seed, value in enumerate(values)
]


def rows(cells, **wanted):
    return [r for r in comparisons(cells) if all(r[key] == v for key, v in wanted.items())]


def test_comparison_by_hand():
    found = rows(CELLS, system="int8", metric="pesq_wb")
    assert [(r["method"], r["reference"]) for r in found] == [
        ("hint", "none"),
        ("two_step", "none"),
        ("two_step", "hint"),
    ]
    row = found[1]  # differences 0.1, 0.3, 0.4
    assert row["pairs"] == 3 and row["difference"] == pytest.approx(0.8 / 3)
    assert row["effect_size"] == pytest.approx((0.8 / 3) / (0.07 / 3) ** 0.5)
    smallest = min(r["p_value"] for r in found)
    assert min(r["p_holm"] for r in found) == pytest.approx(3 * smallest)
    assert {r["family"] for r in found} == {3}


def test_scenarios_share_a_family_and_their_means_have_their_own():
    found = rows(CLEAR["cells"], system="float", metric="stoi")
    assert [(r["scenario"], r["family"]) for r in found] == [
        *[("width", 6)] * 3,
        *[("latent", 6)] * 3,
        *[(OVERALL, 3)] * 3,
    ]
    overall = {(r["method"], r["reference"]): r["difference"] for r in found[6:]}
    assert overall["cosine", "none"] == pytest.approx((0.1 - 0.1) / 2, abs=1e-6)
    assert overall["hint", "none"] == pytest.approx((0.0 + 0.2) / 2)


def test_only_seeds_that_both_have_are_compared():
    unfinished = [c for c in CELLS if (c["method"], c["seed"]) != ("none", 1)]
    unfinished[-1] = {**unfinished[-1], "stoi": nan}  # two_step's last
    assert {r["pairs"] for r in rows(unfinished, method="hint", metric="stoi")} == {2}
    (row,) = rows(unfinished, method="two_step", reference="none", metric="stoi", system="float")
    assert row["pairs"] == 1 and row["p_value"] is None and row["p_holm"] is None
    assert by_seed(unfinished, "width", "none", "float", "stoi") == {0: 2.0, 2: 2.3}


def test_undefined_tests_are_null():
    same = [cell(method, "width", seed, 1.0, 1.0) for method in ("none", "hint") for seed in (0, 1)]
    assert {(r["effect_size"], r["p_value"], r["p_holm"]) for r in comparisons(same)} == {
        (None, None, None)
    }
    json.dumps(comparisons(same), allow_nan=False)


def test_the_family_is_what_can_be_tested():
    same = [cell("cka", "width", seed, *values) for seed, values in enumerate([(2.0, 2.0)] * 3)]
    equal = [{**c, "method": "attention"} for c in CELLS[:3]]  # none's own values
    families = {
        (r["method"], r["reference"]): (r["family"], r["p_holm"] is None)
        for r in rows([*CELLS, *same, *equal], system="float", metric="stoi")
    }
    assert len(families) == 7 and {family for family, _ in families.values()} == {6}
    assert [key for key, (_, untested) in families.items() if untested] == [("attention", "none")]


def test_the_object_of_study_json():
    scores = {"pesq_wb": nan, "stoi": 0.9, "estoi": 0.8, "si_sdr": 10.0}
    folders = {"noisy": "mine/noisy", "clean": "mine/clean", "limit": None}  # nobody else's
    finished = Outcome(
        "cells/x", {"float": scores, "int8": scores, "parameters": 3, "pairs": folders}
    )
    failed = Outcome("cells/y", None, "exit code 1; it said last: no")
    result = study_result(
        [
            (Cell("folder/thin.toml", "cosine", 4, 0.3), finished),
            (Cell("width", "none", 5, None), failed),
        ],
        {"cosine": 0.3},
        {"float": scores, "parameters": 9, "pairs": folders},
        [
            (Cell("width", "cosine", 9, 0.3), Outcome("t", {"valid_supervised_loss": 0.1})),
            (Cell("width", "cosine", 9, 0.5), failed),
        ],
    )
    assert result["schema"] == 1
    assert result["tuning"] == [
        {"method": "cosine", "weight": 0.3, "valid_supervised_loss": 0.1},
        {"method": "cosine", "weight": 0.5, "valid_supervised_loss": None},
    ]
    assert result["teacher"] == {"float": {**scores, "pesq_wb": None}, "parameters": 9}
    assert result["cells"] == [
        {
            **{"method": "cosine", "scenario": "thin", "seed": 4, "weight": 0.3},
            **{**scores, "pesq_wb": None, "parameters": 3},
            "int8": {**scores, "pesq_wb": None},
        }
    ]
    assert result["failed"] == [
        {"method": "none", "scenario": "width", "seed": 5, "why": failed.failure}
    ]
    json.dumps(result, allow_nan=False)
