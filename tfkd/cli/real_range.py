"""A range of numbers on the command line that NaN does not slip through."""

from __future__ import annotations

import math
from typing import Any

import click


class RealRange(click.FloatRange):
    """click's range of numbers, without NaN: it lies in every range of click's, since no comparison
    with it is true."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number
