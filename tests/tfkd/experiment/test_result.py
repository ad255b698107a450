"""Tables and comparisons of a result worked out by hand."""

import json

import pytest

from tfkd.experiment.result import comparisons, latex_table, markdown_table

PESQ = {"none": (2.0, 2.1, 2.3), "hint": (2.0, 2.2, 2.3), "two_step": (2.1, 2.4, 2.7)}


def scores(pesq_wb):
    return {"pesq_wb": pesq_wb, "stoi": 0.9, "estoi": 0.8, "si_sdr": 10.0}


CELLS = [
    {"method": m, "scenario": "base", "seed": s, **scores(v), "int8": scores(v - 0.5)}
    for m, values in PESQ.items()
    for s, v in enumerate(values)
]


def test_comparison_by_hand():
    rows = [r for r in comparisons(CELLS) if r["system"] == "int8" and r["metric"] == "pesq_wb"]
    assert [(r["method"], r["reference"]) for r in rows] == [
        ("hint", "none"),
        ("two_step", "none"),
        ("two_step", "hint"),
    ]
    row = rows[1]  # differences 0.1, 0.3, 0.4
    assert row["pairs"] == 3 and row["difference"] == pytest.approx(0.8 / 3)
    assert row["effect_size"] == pytest.approx((0.8 / 3) / (0.07 / 3) ** 0.5)
    smallest = min(r["p_value"] for r in rows)
    assert min(r["p_holm"] for r in rows) == pytest.approx(3 * smallest)


def test_undefined_tests_are_null():
    rows = [r for r in comparisons(CELLS) if r["metric"] == "stoi"]
    assert {(r["p_value"], r["p_holm"]) for r in rows} == {(None, None)}
    json.dumps(rows, allow_nan=False)


def test_tables():
    assert (
        "| base | two_step | float | 3 | 2.400 ± 0.300 | 0.900 ± 0.000 | 0.800 ± 0.000 "
        "| 10.00 ± 0.00 |"
    ) in markdown_table({"cells": CELLS}).splitlines()
    assert (
        r"base & two\_step & float & 3 & 2.400 $\pm$ 0.300 & 0.900 $\pm$ 0.000 & 0.800 $\pm$ 0.000 "
        r"& 10.00 $\pm$ 0.00 \\"
    ) in latex_table({"cells": CELLS}).splitlines()
