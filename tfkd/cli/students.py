"""`tfkd students`: which presets there are and what each costs."""

from __future__ import annotations

from typing import Any

import click

from tfkd.cli.output import json_option, print_json, working


@click.command()
@json_option
def students(as_json: bool) -> None:
    """List the presets with their budgets.

    Released ones also with the size of the file and the arena on Cortex-M.

    \b
    Example:
      tfkd students
    """
    from tfkd.cli.budget_table import budget_summary
    from tfkd.config_file import load_config, preset_names
    from tfkd.released import released_folders

    released = released_folders()
    rows: list[dict[str, Any]] = []
    with working("counting"):
        for name in preset_names():
            row = budget_summary(load_config(name).model)
            row |= _released_sizes(released[name] / "model.tflite") if name in released else {}
            rows.append(row)
    rows.sort(key=lambda row: row["parameters"])
    if as_json:
        print_json("students", {"presets": rows})
        return
    click.echo(
        f"{'preset':9} {'parameters':>10} {'MMAC/s':>7} {'latency':>8} {'.tflite':>9} {'arena':>9}"
    )
    for row in rows:
        file_bytes = f"{row['file_bytes']:,}" if "file_bytes" in row else "-"
        arena_bytes = f"{row['arena_min_bytes']:,}" if "arena_min_bytes" in row else "-"
        click.echo(
            f"{row['name']:9} {row['parameters']:>10,} {row['macs_per_second'] / 1e6:>7.2f} "
            f"{row['latency_ms']:>5.0f} ms {file_bytes:>9} {arena_bytes:>9}"
        )


def _released_sizes(path: Any) -> dict[str, int]:
    from firmware_ref.arena import plan_arena

    return {
        "file_bytes": path.stat().st_size,
        "arena_min_bytes": plan_arena(path, abi="cortex-m").min_bytes,
    }
