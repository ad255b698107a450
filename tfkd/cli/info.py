"""`tfkd info`: what a model costs on a chip."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.output import json_option, print_json
from tfkd.engines.choice import DEFAULT_MODEL, MODEL_FILE, find_tflite

if TYPE_CHECKING:
    from tfkd.config import ModelConfig


@click.command()
@click.argument("model", metavar="PRESET|RUN|FILE", default=DEFAULT_MODEL)
@json_option
def info(model: str, as_json: bool) -> None:
    """Show a model's budget: parameters, MAC/s, receptive field, latency; file, operators, arena.

    A preset is counted layer by layer; a converted or released model also by its .tflite.

    \b
    Example:
      tfkd info tiny
      tfkd info runs/latest --json
      tfkd info model.tflite
    """
    from tfkd.cli.budget_table import budget_summary, print_budget

    config = _model_config(model)
    tflite = _tflite(model, required=config is None)
    deployed = _deployed(tflite) if tflite else None
    if as_json:
        budget = budget_summary(config) if config else None
        print_json("info", {"model": model, "budget": budget, "tflite": deployed})
        return
    if config:
        print_budget(config)
        summary = budget_summary(config)
        click.echo(
            f"{summary['name']}: {summary['parameters']:,} parameters, "
            f"{summary['macs_per_second'] / 1e6:.2f} MMAC/s, receptive field "
            f"{summary['receptive_field_frames']} frames, algorithmic latency "
            f"{summary['latency_ms']:g} ms (hop {summary['hop_ms']:g} ms)"
        )
    if deployed:
        arena = deployed["arena"]
        operators = ", ".join(f"{name} {count}" for name, count in deployed["operators"].items())
        click.echo(f"{deployed['path']}: {deployed['file_bytes']:,} bytes")
        click.echo(f"arena on Cortex-M: {arena['used_bytes']:,} used, {arena['min_bytes']:,} needed")
        click.echo(f"state: {deployed['states']} tensors, {deployed['state_bytes']:,} bytes")
        click.echo(f"operators: {operators}")


def _model_config(model: str) -> ModelConfig | None:
    """The configuration behind a preset or run; None for a bare .tflite."""
    from tfkd.config_file import load_config, preset_names, read_config

    if (Path(model) / "config.toml").is_file():
        return read_config(Path(model) / "config.toml").model
    return load_config(model).model if model in preset_names() else None


def _tflite(model: str, required: bool) -> Path | None:
    from tfkd.released import released_folders

    if required or Path(model).is_file() or (Path(model) / MODEL_FILE).is_file():
        return find_tflite(model)
    folder = released_folders().get(model)
    return folder / MODEL_FILE if folder else None


def _deployed(path: Path) -> dict[str, Any]:
    """What the file says: size, operators, states, arena."""
    from firmware_ref.arena import plan_arena
    from firmware_ref.reader import read_model
    from tfkd.engines.streaming_model import read_streaming_model

    streaming = read_streaming_model(path)
    plan = plan_arena(streaming.content, abi="cortex-m")
    operators = Counter(op.name for op in read_model(streaming.content).subgraphs[0].operators)
    return {
        "path": str(path),
        "name": streaming.name,
        "file_bytes": len(streaming.content),
        "operators": dict(operators.most_common()),
        "states": len(streaming.state_shapes),
        "state_bytes": sum(state.size for state in streaming.initial_states_q()),
        "latency_ms": streaming.frontend.latency_ms,
        "hop_ms": streaming.frontend.hop_ms,
        "arena": {"used_bytes": plan.total_bytes, "min_bytes": plan.min_bytes},
    }
