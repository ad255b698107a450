"""What exported C code costs, for `tfkd convert --emit-c`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from tfkd.c_denoiser import CSources


def exported(sources: CSources, folder: Path) -> dict[str, Any]:
    """RAM of the code in a folder, and where the tools are installed its cost on a Cortex-M4."""
    from firmware_ref.cortex_m import missing_tools
    from tfkd.c_denoiser.cost import measure_cost

    missing = missing_tools()
    return {
        "folder": str(folder),
        "front_end": sources.frontend is not None,
        "state_bytes": sources.state_bytes,
        "work_bytes": sources.work_bytes,
        "hop_ms": sources.frontend.hop_ms if sources.frontend else None,
        "cortex_m4": None if missing else asdict(measure_cost(sources)),
        "missing_tools": list(missing),
    }


def print_exported(report: dict[str, Any]) -> None:
    """The same as text on stdout."""
    entry = "tfkd_denoise_hop" if report["front_end"] else "tfkd_step"
    click.echo(f"C code in {report['folder']}: {entry}")
    click.echo(
        f"  RAM: {report['state_bytes']:,} bytes for each channel, {report['work_bytes']:,} shared"
    )
    cost = report["cortex_m4"]
    if cost is None:
        click.echo(
            f"Left out its size and speed on a Cortex-M4: {', '.join(report['missing_tools'])} "
            f"not installed.",
            err=True,
        )
        return
    click.echo(
        f"  compiled for a Cortex-M4: text {cost['text_bytes']:,}, rodata "
        f"{cost['rodata_bytes']:,}, data {cost['data_bytes']:,}, bss {cost['bss_bytes']:,} bytes"
    )
    click.echo(f"  on an emulated Cortex-M4: {cost['instructions']:,} instructions per call")
    hop = f" per hop of {report['hop_ms']:g} ms" if report["hop_ms"] else ""
    click.echo(
        f"  estimate, not measured, at 64 MHz: {cost['low_ms']:.1f} to {cost['high_ms']:.1f} ms"
        f"{hop}"
    )
