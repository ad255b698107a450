"""Float against int8, tensor by tensor, as a chart."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfkd.report.axis import Axis, linear_axis, path

if TYPE_CHECKING:
    from tfkd.quantization_noise import TensorNoise


@dataclass(frozen=True)
class Point:
    """One activation, in percent of the axes."""

    across: float
    down: float
    text: str


@dataclass(frozen=True)
class NoiseChart:
    """SNR over the order of computation; `worst` are the five noisiest, the noisiest first."""

    rows: tuple[TensorNoise, ...]
    worst: tuple[TensorNoise, ...]
    x: Axis
    y: Axis
    line: str
    points: tuple[Point, ...]
    seconds: float


def noise_chart(rows: Sequence[TensorNoise], seconds: float) -> NoiseChart:
    """Chart of a whole model; tensors without noise (infinite SNR) are left to the table.

    Args:
        rows: in order of computation.
        seconds: of audio that they were measured on.
    """
    x = linear_axis("activation, in order of computation", [], low=0.0, high=len(rows) + 1.0)
    y = linear_axis("SNR of int8 against float, dB", [row.snr_db for row in rows])
    finite = [(i + 1.0, row) for i, row in enumerate(rows) if math.isfinite(row.snr_db)]
    return NoiseChart(
        tuple(rows),
        tuple(sorted((row for _, row in finite), key=lambda row: row.snr_db)[:5]),
        x,
        y,
        path([(place, row.snr_db) for place, row in finite], x, y),
        tuple(
            Point(x.place(place), 100 - y.place(row.snr_db), f"{row.layer}: {row.snr_db:.1f} dB")
            for place, row in finite
        ),
        seconds,
    )
