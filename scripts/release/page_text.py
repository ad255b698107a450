"""What the pages of a release share: their templates, and how figures are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import jinja2

from tfkd.metrics import METRICS

Values = Mapping[str, Mapping[str, float]]


def template(name: str) -> jinja2.Template:
    """A Markdown template beside this file; an unknown figure in it is an error."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # Markdown
        keep_trailing_newline=True,
    )
    return environment.get_template(name)


def intervals(values: Values) -> list[str]:
    """A cell per metric: mean +- half of its 95 % interval."""
    return [
        f"{values[name]['mean']:.{metric.digits}f} +- "
        f"{values[name]['half_width']:.{metric.digits}f}"
        for name, metric in METRICS.items()
    ]


def differences(values: Values) -> list[str]:
    """A cell per metric: mean difference +- its standard error."""
    return [difference(values, name) for name in METRICS]


def difference(values: Values, name: str) -> str:
    digits = METRICS[name].digits
    return f"{values[name]['mean']:+.{digits}f} +- {values[name]['standard_error']:.{digits}f}"
