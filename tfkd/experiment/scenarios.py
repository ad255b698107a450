"""Mismatch scenarios: how a student departs from its teacher.

A scenario is a configuration file that overrides the student's preset, one trait at a time, under
one and the same teacher. The shipped ones are written for the preset tiny and the shipped teacher.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from tfkd.errors import ConfigError, nearest


def scenario_names() -> list[str]:
    """Names of the scenarios that come with tfkd."""
    return sorted(entry.stem for entry in _folder().glob("*.toml"))


def scenario_file(scenario: str) -> Path:
    """The configuration file of a scenario, to be loaded after the student's preset.

    Args:
        scenario: a name of `scenario_names`, or the path of a TOML file.

    Raises:
        ConfigError: no such scenario; the nearest name is offered.
    """
    if scenario.endswith(".toml"):
        return Path(scenario)
    known = scenario_names()
    if scenario not in known:
        raise ConfigError(
            f"unknown scenario '{scenario}'. Expected one of {', '.join(known)}, or the path of a "
            f"TOML file.{nearest(scenario, known)}"
        )
    return _folder() / f"{scenario}.toml"


def _folder() -> Path:
    return Path(str(files("tfkd"))) / "experiment" / "scenarios"
