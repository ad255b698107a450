"""What exported C code costs, for `tfkd convert --emit-c`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tfkd.c_denoiser import CSources


def exported(sources: CSources, folder: Path) -> dict[str, Any]:
    """RAM of the code in a folder."""
    return {
        "folder": str(folder),
        "front_end": sources.frontend is not None,
        "state_bytes": sources.state_bytes,
        "work_bytes": sources.work_bytes,
    }


def print_exported(report: dict[str, Any]) -> None:
    """The same as text on stdout."""
    entry = "tfkd_denoise_hop" if report["front_end"] else "tfkd_step"
    click.echo(f"C code in {report['folder']}: {entry}")
    click.echo(
        f"  RAM: {report['state_bytes']:,} bytes for each channel, {report['work_bytes']:,} shared"
    )
