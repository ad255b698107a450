"""`tfkd students`: which presets there are and what each costs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.completion import targets
from tfkd.cli.deployed import estimated_ms, in_time
from tfkd.cli.output import json_option, print_json, working
from tfkd.released import MODEL_FILE, released_folders

if TYPE_CHECKING:
    from firmware_ref.targets import Target


@click.command()
@click.option(
    "--target",
    metavar="CHIP",
    shell_complete=targets,
    help="Also show which of them fit a chip, such as nano33ble, and the time of a hop.",
)
@json_option
def students(target: str | None, as_json: bool) -> None:
    """List the presets with their budgets.

    Released ones also with the size of the file and the arena on Cortex-M. With a chip, whether
    they fit its memory, and an estimate of the time that the model takes in each hop.

    \b
    Example:
      tfkd students
      tfkd students --target nano33ble
    """
    from firmware_ref.targets import find_target
    from tfkd.cli.budget_table import budget_summary
    from tfkd.config_file import load_config, preset_names

    chip = find_target(target) if target else None
    released = released_folders()
    rows: list[dict[str, Any]] = []
    with working("counting"):
        for name in preset_names():
            row = budget_summary(load_config(name).model)
            row |= _released_sizes(released[name] / MODEL_FILE) if name in released else {}
            row |= _on_chip(row, chip) if chip else {}
            rows.append(row)
    rows.sort(key=lambda row: row["parameters"])
    if as_json:
        print_json("students", {"target": chip.name if chip else None, "presets": rows})
        return
    click.echo(
        f"{'preset':9} {'parameters':>10} {'MMAC/s':>7} {'latency':>8} {'.tflite':>9} {'arena':>9}"
        + (f" {'memory':>9}  {'ms per hop, CMSIS-NN':30} exported C" if chip else "")
    )
    for row in rows:
        file_bytes = f"{row['file_bytes']:,}" if "file_bytes" in row else "-"
        arena_bytes = f"{row['arena_min_bytes']:,}" if "arena_min_bytes" in row else "-"
        click.echo(
            f"{row['name']:9} {row['parameters']:>10,} {row['macs_per_second'] / 1e6:>7.2f} "
            f"{row['latency_ms']:>5.0f} ms {file_bytes:>9} {arena_bytes:>9}"
            + (_chip_columns(row) if chip else "")
        )
    if chip:
        click.echo(f"Estimated, for the model alone, out of a hop of {rows[0]['hop_ms']:g} ms.")


def _released_sizes(path: Path) -> dict[str, int]:
    from firmware_ref.arena import plan_arena

    return {
        "file_bytes": path.stat().st_size,
        "arena_min_bytes": plan_arena(path, abi="cortex-m").min_bytes,
    }


def _on_chip(row: dict[str, Any], chip: Target) -> dict[str, Any]:
    """Whether a released preset fits, None for others; the time of a hop on cores with a count."""
    from firmware_ref.fit import check_fit

    fits = None
    if "file_bytes" in row:
        fits = check_fit(chip, row["arena_min_bytes"], row["file_bytes"]).fits
    return {"fits": fits, "estimated_ms_per_hop": estimated_ms(row["macs_per_frame"], chip)}


def _chip_columns(row: dict[str, Any]) -> str:
    memory = {None: "-", True: "fits", False: "too small"}[row["fits"]]
    times = [row["estimated_ms_per_hop"][kernels] for kernels in ("cmsis_nn", "exported_c")]
    if None in times:
        return f" {memory:>9}  nobody counted for this core"
    texts = [f"{low:.1f} to {high:.1f}, {in_time(low, high, row['hop_ms'])}" for low, high in times]
    return f" {memory:>9}  {texts[0]:30} {texts[1]}"
