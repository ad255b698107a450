from pathlib import Path

import pytest

from tfkd.evaluate import Evaluation, Pair, PairScores
from tfkd.metrics import Interval, mean_interval
from tfkd.report.quality import interval_text, metric_tables


def scores(name: str, snr_db: float | None, noisy: float, int8: float) -> PairScores:
    keys = ("pesq_wb", "stoi", "estoi", "si_sdr")
    systems = {"noisy": dict.fromkeys(keys, noisy), "int8": dict.fromkeys(keys, int8)}
    return PairScores(Pair(name, Path(name), Path(name), snr_db), systems)


def test_rows_are_snrs_and_columns_systems():
    evaluation = Evaluation(
        ("noisy", "int8"),
        (scores("a", -5, 0.1, 0.3), scores("b", -5, 0.3, 0.5), scores("c", 10, 0.8, 0.9)),
    )
    pesq, stoi, _, _ = metric_tables(evaluation)
    assert [(name, count) for name, count, _ in pesq.rows] == [
        ("\N{MINUS SIGN}5", 2),
        ("10", 1),
        ("all", 3),
    ]
    assert pesq.rows[1][2] == ("0.800", "0.900")  # one value has no interval
    low = mean_interval([0.1, 0.3])
    assert pesq.rows[0][2][0] == f"0.200 ± {low.half_width:.3f}"
    assert pesq.differences == (("int8 \N{MINUS SIGN} noisy", "+0.167 ± 0.143"),)
    assert [tick.label for tick in pesq.x.ticks] == ["\N{MINUS SIGN}5", "10"]
    assert low.half_width > 1.0  # beyond what STOI can be: drawn within 0 and 1
    assert (stoi.y.low, stoi.y.high) == (0.0, 1.0)
    assert all(0 <= mark.high <= mark.middle <= mark.low <= 100 for mark in stoi.marks)


def test_without_snrs_all_pairs_are_one_group():
    (table, *_) = metric_tables(Evaluation(("noisy", "int8"), (scores("a", None, 0.1, 0.3),)))
    assert [name for name, _, _ in table.rows] == ["all"]
    assert len(table.marks) == 2


def test_many_snrs_are_gathered():
    pairs = tuple(scores(str(i), -3.3 + 1.1 * i, 0.1, 0.3) for i in range(12))
    (table, *_) = metric_tables(Evaluation(("noisy", "int8"), pairs))
    assert [(name, count) for name, count, _ in table.rows] == [
        ("\N{MINUS SIGN}5 to 0", 3),  # below 0
        ("0 to 5", 5),
        ("5 to 10", 4),
        ("all", 12),
    ]


@pytest.mark.parametrize(
    ("interval", "text"),
    [
        (Interval(1.6561, 0.01, 0.0214, 9, 0), "1.656 ± 0.021"),
        (Interval(-1.0, 0.1, float("nan"), 1, 0), "\N{MINUS SIGN}1.000"),
        (Interval(float("nan"), 0.1, 0.1, 0, 3), "\N{EN DASH}"),
    ],
)
def test_intervals_as_text(interval, text):
    assert interval_text(interval, 3) == text
