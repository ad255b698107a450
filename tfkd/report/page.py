"""The page itself: templates, style and script of the package, filled and joined to one file."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render_page(content: Mapping[str, Any]) -> str:
    """Fill the template.

    Args:
        content: the names that report.html uses; a missing one raises.

    Returns:
        HTML that refers to nothing outside itself.
    """
    loader = PackageLoader("tfkd.report")
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"size": _bytes, "number": _number, "command": shlex.join}
    source = {
        name: loader.get_source(environment, file)[0]
        for name, file in (("style", "report.css"), ("script", "player.js"))
    }
    return environment.get_template("report.html").render(
        **content, **source, written=datetime.now(timezone.utc)
    )


def _bytes(size: int) -> str:
    """As in "38,112 B"."""
    return f"{size:,} B".replace("-", "\N{MINUS SIGN}")


def _number(value: float, digits: int = 0) -> str:
    """With a comma between thousands and a true minus; a dash where it is not finite."""
    if not math.isfinite(value):
        return "\N{INFINITY}" if value > 0 else "\N{EN DASH}"
    return f"{round(value, digits) + 0.0:,.{digits}f}".replace("-", "\N{MINUS SIGN}")


def reproduction(training: Sequence[str] | None, report: Sequence[str]) -> list[list[str]]:
    """The commands that lead to the page, in order.

    Args:
        training: the command that made the run, from its record; None for a .tflite alone.
        report: the command that makes the page.
    """
    commands = [list(report)]
    if training:
        program = "tfkd" if training[0] == "__main__.py" else training[0]
        commands.insert(0, [program, *training[1:]])
    return commands
