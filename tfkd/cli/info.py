"""`tfkd info`: what a model costs on a chip, and where its memory goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfkd.cli.completion import targets
from tfkd.cli.deployed import arena_layout, deployed, fit, print_deployed
from tfkd.cli.output import json_option, print_json, working
from tfkd.engines.choice import DEFAULT_MODEL
from tfkd.errors import ModelError
from tfkd.released import MODEL_FILE, find_tflite, released_folders

if TYPE_CHECKING:
    from tfkd.config import ModelConfig


@click.command()
@click.argument("model", metavar="[PRESET|RUN|FILE]", default=DEFAULT_MODEL)
@click.option(
    "--target",
    metavar="CHIP",
    shell_complete=targets,
    help="Also show the margins on a chip, such as nano33ble.",
)
@click.option("--arena", is_flag=True, help="Also draw the arena over time, operator by operator.")
@json_option
def info(model: str, target: str | None, arena: bool, as_json: bool) -> None:
    """Show what a model costs.

    Parameters, MAC/s, receptive field, latency; file, operators, arena. A preset is counted
    layer by layer; a converted or released model also by its .tflite.

    \b
    Example:
      tfkd info tiny
      tfkd info runs/latest --json
      tfkd info model.tflite --target nano33ble --arena
    """
    from firmware_ref.targets import find_target
    from tfkd.cli.budget_table import budget_summary, print_budget

    chip = find_target(target) if target else None
    config = _model_config(model)
    tflite = _tflite(model, required=config is None)
    if not tflite and (arena or chip):
        asked = "--arena" if arena else f"--target {target}"
        raise ModelError(
            f"{model} has no .tflite yet, so no arena. Train and convert it, then ask: "
            f"tfkd info runs/latest {asked}"
        )
    report = deployed(tflite) if tflite else None
    if report and chip:
        report["target"] = fit(report, chip)
    summary = None
    if config:
        with working("counting"):
            summary = budget_summary(config)
    if as_json:
        if report and tflite and arena:
            report["arena"].update(arena_layout(tflite))
        print_json("info", {"model": model, "budget": summary, "tflite": report})
        return
    if config and summary:
        print_budget(config)
        click.echo(
            f"{summary['name']}: {summary['parameters']:,} parameters, "
            f"{summary['macs_per_second'] / 1e6:.2f} MMAC/s, receptive field "
            f"{summary['receptive_field_frames']} frames, algorithmic latency "
            f"{summary['latency_ms']:g} ms (hop {summary['hop_ms']:g} ms)"
        )
    if report:
        print_deployed(report)
    if tflite and arena:
        from firmware_ref.arena import plan_arena
        from firmware_ref.arena.ascii_map import draw_arena

        click.echo(f"\n{draw_arena(plan_arena(tflite, abi='cortex-m'))}")


def _model_config(model: str) -> ModelConfig | None:
    """The configuration behind a preset or run; None for a .tflite, there or not."""
    from tfkd.config_file import load_config, preset_names, read_config

    if (Path(model) / "config.toml").is_file():
        return read_config(Path(model) / "config.toml").model
    is_path = Path(model).exists() or Path(model).name != model or model.endswith(".tflite")
    # Presets' names win over folders that happen to have them, as released names do.
    is_preset = model in preset_names() and not _is_model(Path(model))
    return load_config(model).model if is_preset or not is_path else None


def _is_model(path: Path) -> bool:
    return path.is_file() or any((path / name).is_file() for name in (MODEL_FILE, "run.json"))


def _tflite(model: str, required: bool) -> Path | None:

    if required or Path(model).is_file() or (Path(model) / MODEL_FILE).is_file():
        return find_tflite(model)
    folder = released_folders().get(model)
    return folder / MODEL_FILE if folder else None
