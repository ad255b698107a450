"""Results go to stdout, everything else to stderr: JSON objects, tables, progress bars."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.json_numbers import finite

if TYPE_CHECKING:
    from rich.console import Console

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout instead of text."
)


def console() -> Console:
    """A console on stderr; it honours NO_COLOR and plain files; brackets, as in paths, are text."""
    from rich.console import Console

    target = Console(stderr=True, highlight=False, markup=False)
    if not target.is_terminal:
        target.width = 120  # a log file has no edge at which to cut tables
    return target


def print_json(command: str, result: Mapping[str, Any], version: int = 1) -> None:
    """Print one object with the key `schema`; undefined numbers become null."""
    click.echo(json.dumps({"schema": f"tfkd.{command}/{version}", **finite(result)}, indent=2))


def print_folders(command: str, folders: Mapping[str, Path], as_json: bool) -> None:
    """Print where a corpus lies: name and folder a line, or one object."""
    if as_json:
        print_json(command, {name: str(folder) for name, folder in folders.items()})
        return
    for name, folder in folders.items():
        click.echo(f"{name}: {folder}")


@contextmanager
def working(label: str) -> Iterator[None]:
    """A sign of life on a terminal while something takes seconds, nothing elsewhere."""
    from rich.text import Text

    target = console()
    if not target.is_terminal:
        yield
        return
    with target.status(Text(label)):
        yield


@contextmanager
def progress(label: str, total: float) -> Iterator[Callable[[float], None]]:
    """A progress bar on a terminal, nothing elsewhere; yields a function that advances it."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    target = console()
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=target, disable=not target.is_terminal, transient=True) as bar:
        task = bar.add_task(label, total=total)
        yield lambda amount: bar.advance(task, amount)
