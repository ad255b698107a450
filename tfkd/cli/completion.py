"""What a shell may complete besides commands and options: names of students and chips."""

from __future__ import annotations

import click


def students(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Presets that begin so, without the teacher."""
    from tfkd.config_file import preset_names

    return [name for name in preset_names() if name.startswith(incomplete) and name != "teacher"]


def targets(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Chips that begin so."""
    from firmware_ref.targets import TARGETS

    return [name for name in TARGETS if name.startswith(incomplete)]
