"""A model's costs as a table on stderr, for `tfkd info` and `tfkd train --dry-run`."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from tfkd.cli.output import console

if TYPE_CHECKING:
    from tfkd.config import ModelConfig


def budget_summary(config: ModelConfig) -> dict[str, Any]:
    """Parameters, multiply-accumulates, receptive field, state and latency of a configuration."""
    from tfkd.models.budget import budget

    summary = asdict(budget(config))
    del summary["layers"]
    return {"name": config.name, **summary}


def print_budget(config: ModelConfig) -> None:
    """Print every layer's cost and the sums."""
    from rich.box import SIMPLE
    from rich.table import Table

    from tfkd.models.budget import budget

    costs = budget(config)
    table = Table(title=f"{config.name}, per frame of {costs.hop_ms:g} ms", box=SIMPLE)
    table.add_column("layer")
    for heading in ("bands x channels", "parameters", "MAC", "state bytes"):
        table.add_column(heading, justify="right")
    for row in costs.layers:
        if row.parameters or row.macs or row.state_bytes:
            shape = f"{row.output_shape[0]} x {row.output_shape[1]}"
            table.add_row(
                row.name, shape, f"{row.parameters:,}", f"{row.macs:,}", f"{row.state_bytes:,}"
            )
    table.add_section()
    table.add_row(
        "all", "", f"{costs.parameters:,}", f"{costs.macs_per_frame:,}", f"{costs.state_bytes:,}"
    )
    console().print(table)
    console().print(
        f"{costs.macs_per_second / 1e6:.2f} MMAC/s, receptive field "
        f"{costs.receptive_field_frames} frames "
        f"({costs.receptive_field_frames * costs.hop_ms / 1000.0:.2f} s), "
        f"algorithmic latency {costs.latency_ms:g} ms"
    )
