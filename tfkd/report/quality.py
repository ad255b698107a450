"""Objective quality as tables and charts: per SNR, with 95 % intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass

from tfkd.evaluate import ALL, Evaluation, PairScores
from tfkd.metrics import METRICS, Interval
from tfkd.report.axis import Axis, category_axis, linear_axis

_MEANING = {  # what a metric says, and the bounds that its intervals are drawn to
    "pesq_wb": ("perceived quality, 1.04 to 4.64", (1.0, 5.0)),
    "stoi": ("intelligibility, 0 to 1", (0.0, 1.0)),
    "estoi": ("intelligibility in fluctuating noise, 0 to 1", (0.0, 1.0)),
    "si_sdr": ("likeness to the clean waveform", (-math.inf, math.inf)),
}

MOST_ROWS = 10
GATHERED_DB = 5


@dataclass(frozen=True)
class Mark:
    """One mean with its interval in a chart, in percent of the axes."""

    system: str
    across: float
    middle: float
    low: float
    high: float
    text: str


@dataclass(frozen=True)
class MetricTable:
    """One metric: rows are SNRs, columns are systems; and paired differences."""

    key: str
    title: str
    unit: str
    meaning: str
    systems: tuple[str, ...]
    rows: tuple[tuple[str, int, tuple[str, ...]], ...]
    differences: tuple[tuple[str, str], ...]
    x: Axis
    y: Axis
    marks: tuple[Mark, ...]
    undefined: int


def metric_tables(evaluation: Evaluation) -> list[MetricTable]:
    """One table per metric; where there are more than MOST_ROWS SNRs, they are gathered."""
    groups = _groups(evaluation)
    names = [name for name in groups if name != ALL] or [ALL]
    tables = []
    for key, metric in METRICS.items():
        title, unit, digits = metric.title, metric.unit, metric.digits
        meaning, bounds = _MEANING[key]
        intervals = {
            (name, system): evaluation.means(system, group)[key]
            for name, group in groups.items()
            for system in evaluation.systems
        }
        shown = [intervals[name, system] for name in names for system in evaluation.systems]
        ends = [end for interval in shown for end in _ends(interval, bounds)]
        x = category_axis("SNR of the noisy input, dB", [_snr(name) for name in names])
        y = linear_axis(f"{title}, {unit}" if unit else title, ends)
        tables.append(
            MetricTable(
                key,
                title,
                unit,
                meaning,
                evaluation.systems,
                tuple(
                    (
                        _snr(name),
                        len(group),
                        tuple(
                            interval_text(intervals[name, system], digits)
                            for system in evaluation.systems
                        ),
                    )
                    for name, group in groups.items()
                ),
                tuple(
                    (
                        f"{later} \N{MINUS SIGN} {former}",
                        interval_text(evaluation.differences(later, former)[key], digits, "+"),
                    )
                    for later, former in evaluation.comparisons()
                ),
                x,
                y,
                tuple(
                    mark
                    for place, name in enumerate(names)
                    for mark in _marks(
                        place, name, intervals, evaluation.systems, x, y, digits, bounds
                    )
                ),
                evaluation.left_out(key),
            )
        )
    return tables


def interval_text(interval: Interval, digits: int, sign: str = "") -> str:
    """As in "1.656 ± 0.144"; without the interval where one value is all there is."""
    if not math.isfinite(interval.mean):
        return "\N{EN DASH}"
    text = f"{interval.mean:{sign}.{digits}f}".replace("-", "\N{MINUS SIGN}")
    if not math.isfinite(interval.half_width):
        return text
    return f"{text} ± {interval.half_width:.{digits}f}"


def _groups(evaluation: Evaluation) -> dict[str, list[PairScores]]:
    """Scores by SNR, or by stretches of 5 dB of it, then all."""
    groups = evaluation.groups()
    if len(groups) - 1 <= MOST_ROWS:
        return groups
    known = [(s.pair.snr_db, s) for s in evaluation.scores if s.pair.snr_db is not None]
    gathered: dict[int, list[PairScores]] = {}
    for snr_db, scores in known:
        gathered.setdefault(GATHERED_DB * math.floor(snr_db / GATHERED_DB), []).append(scores)
    named = {f"{low} to {low + GATHERED_DB}": gathered[low] for low in sorted(gathered)}
    return {**named, ALL: groups[ALL]}


def _marks(
    place: int,
    name: str,
    intervals: dict[tuple[str, str], Interval],
    systems: tuple[str, ...],
    x: Axis,
    y: Axis,
    digits: int,
    bounds: tuple[float, float],
) -> list[Mark]:
    """The systems side by side in one SNR's share of the axis."""
    marks = []
    for i, system in enumerate(systems):
        interval = intervals[name, system]
        if not math.isfinite(interval.mean):
            continue
        across = place + 0.2 * (i - (len(systems) - 1) / 2)
        low, high = _ends(interval, bounds)
        marks.append(
            Mark(
                system,
                x.place(across),
                100 - y.place(interval.mean),
                100 - y.place(low),
                100 - y.place(high),
                f"{system} at {_snr(name)} dB: {interval_text(interval, digits)}",
            )
        )
    return marks


def _ends(interval: Interval, bounds: tuple[float, float]) -> tuple[float, float]:
    """Where the interval is drawn to: not beyond what the metric can be."""
    reach = interval.half_width if math.isfinite(interval.half_width) else 0.0
    return max(bounds[0], interval.mean - reach), min(bounds[1], interval.mean + reach)


def _snr(name: str) -> str:
    return name.replace("-", "\N{MINUS SIGN}")
