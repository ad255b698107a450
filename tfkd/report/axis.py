"""Axes of the page's charts: where a value lies, and round ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator


@dataclass(frozen=True)
class Tick:
    """A label at a place, in percent of the axis."""

    place: float
    label: str


@dataclass(frozen=True)
class Axis:
    """A linear axis."""

    label: str
    low: float
    high: float
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> float:
        """Percent of the axis, from its beginning."""
        return round(100.0 * (value - self.low) / (self.high - self.low), 3)


def linear_axis(
    label: str,
    values: Iterable[float],
    *,
    low: float | None = None,
    high: float | None = None,
    count: int = 4,
    unit: str = "",
) -> Axis:
    """An axis around finite values, from tick to tick.

    Args:
        label: what it shows, with the unit.
        values: those that must lie on it; others than finite ones are left out.
        low, high: ends that are given; otherwise they are round numbers.
        count: intervals between ticks, at most.
        unit: written after the last tick's number.
    """
    finite = [value for value in values if math.isfinite(value)]
    finite += [end for end in (low, high) if end is not None]
    first, last = min(finite, default=0.0), max(finite, default=1.0)
    if last <= first:
        last = first + max(1e-3, abs(first) * 0.1)
    steps = [
        float(v) for v in MaxNLocator(count, steps=[1, 2, 2.5, 4, 5, 10]).tick_values(first, last)
    ]
    bottom = steps[0] if low is None else low
    top = steps[-1] if high is None else high
    shown = [step for step in steps if bottom - 1e-9 <= step <= top + 1e-9]
    axis = Axis(label, bottom, top, ())
    ticks = [Tick(axis.place(step), _text(step, shown)) for step in shown]
    if unit and ticks:
        ticks[-1] = Tick(ticks[-1].place, f"{ticks[-1].label} {unit}")
    return Axis(label, bottom, top, tuple(ticks))


def category_axis(label: str, names: Sequence[str]) -> Axis:
    """One place per name, 0, 1, 2 and so on, in the middle of equal shares."""
    axis = Axis(label, -0.5, max(0.5, len(names) - 0.5), ())
    return Axis(
        label,
        axis.low,
        axis.high,
        tuple(Tick(axis.place(place), name) for place, name in enumerate(names)),
    )


def path(points: Iterable[tuple[float, float]], x: Axis, y: Axis) -> str:
    """An SVG path through points, in a box of 100 x 100 with y downwards; gaps where not finite."""
    words, pen_is_down = [], False
    for across, up in points:
        if not (math.isfinite(across) and math.isfinite(up)):
            pen_is_down = False
            continue
        words.append(f"{'L' if pen_is_down else 'M'}{x.place(across):g} {100 - y.place(up):g}")
        pen_is_down = True
    return "".join(words)


def _text(step: float, steps: Sequence[float]) -> str:
    """A tick's number with as many digits as the distance of the ticks asks for."""
    distance = min((b - a for a, b in zip(steps, steps[1:], strict=False)), default=1.0)
    digits = max(0, -math.floor(math.log10(distance) + 1e-9)) if distance > 0 else 0
    if round(distance, digits) != round(distance, digits + 1):
        digits += 1
    return f"{step:,.{digits}f}".replace("-", "\N{MINUS SIGN}")
