"""`tfkd config`: look at configurations."""

from __future__ import annotations

import click

from tfkd.cli.output import json_option, print_json


@click.group()
def config() -> None:
    """Look at the configuration of a run before training."""


@config.command()
@click.argument("preset", required=False)
@click.option("--config", "config_files", multiple=True, metavar="TOML", help="File; repeatable.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key; repeatable.")
@json_option
def show(
    preset: str | None, config_files: tuple[str, ...], settings: tuple[str, ...], as_json: bool
) -> None:
    """Print the resolved configuration of a PRESET as TOML that --config takes.

    \b
    Example:
      tfkd config show tiny --set train.steps=4000 > mine.toml
    """
    from tfkd.config_file import dump_config, load_config

    if preset is None and not config_files:
        raise click.UsageError("name a preset, such as tiny, or give --config TOML.")
    resolved = load_config(preset, config_files, settings)
    if as_json:
        print_json("config", {"config": resolved.model_dump(mode="json")})
    else:
        click.echo(dump_config(resolved), nl=False)
