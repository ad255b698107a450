"""What exported C code costs, for `tfkd convert --emit-c`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.deployed import in_time, margins, print_margins

if TYPE_CHECKING:
    from firmware_ref.targets import Target
    from tfkd.c_denoiser import CSources
    from tfkd.c_denoiser.cost import CortexMCost


def exported(sources: CSources, folder: Path, chip: Target | None) -> dict[str, Any]:
    """RAM of the code in a folder; where the tools are installed its cost and margins."""
    from firmware_ref.cortex_m import missing_tools
    from firmware_ref.errors import ToolchainError
    from tfkd.c_denoiser.cost import measure_cost

    missing = list(missing_tools())
    cost = None
    if not missing:
        try:
            cost = measure_cost(sources)
        except ToolchainError as error:  # such as a C library that is missing
            missing = [f"a working toolchain ({str(error).splitlines()[0]})"]
    return {
        "folder": str(folder),
        "front_end": sources.frontend is not None,
        "state_bytes": sources.state_bytes,
        "work_bytes": sources.work_bytes,
        "hop_ms": sources.frontend.hop_ms if sources.frontend else None,
        "cortex_m4": asdict(cost) if cost else None,
        "missing_tools": missing,
        "target": _margins(sources, cost, chip) if cost and chip else None,
    }


def _margins(sources: CSources, cost: CortexMCost, chip: Target) -> dict[str, Any]:
    from tfkd.c_denoiser.cost import budgets, estimated_ms

    limits = budgets(sources, cost, chip)
    return {
        "name": chip.name,
        "fits": all(limit.fits for limit in limits),
        "budgets": margins(limits),
        "estimated_ms_per_hop": estimated_ms(cost, chip),
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
    band, hop_ms, chip = (cost["low_ms"], cost["high_ms"]), report["hop_ms"], report["target"]
    clock = "at 64 MHz"
    if chip:
        band, clock = chip["estimated_ms_per_hop"], f"on {chip['name']}"
        print_margins(chip)
    if band:
        speed = f" per hop of {hop_ms:g} ms, {in_time(*band, hop_ms)}" if hop_ms else ""
        click.echo(f"  estimate, not measured, {clock}: {band[0]:.1f} to {band[1]:.1f} ms{speed}")
    else:
        click.echo(f"  no estimate {clock}: nobody counted for its core, which is no Cortex-M4")
