"""`tfkd data`: the demo corpus, the public benchmark, a look at corpora."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tfkd.cli.data_check import check
from tfkd.cli.data_voicebank_demand import voicebank_demand
from tfkd.cli.output import json_option, print_folders, working


@click.group()
def data() -> None:
    """Get corpora; look at folders of recordings before training on them."""


@data.command()
@click.option(
    "-o", "--output", metavar="DIR", help="Where noise and pairs go.  [default: the user's cache]"
)
@json_option
def demo(output: str | None, as_json: bool) -> None:
    """Make the demo corpus, or find it, and print its folders.

    Synthesised speech that comes with tfkd, procedural noise, and held-out pairs of both.

    \b
    Example:
      tfkd data demo
    """
    from tfkd.data.demo import demo_corpus

    with working("making noise and pairs"):
        corpus = demo_corpus(Path(output) if output else None)
    print_folders("data-demo", asdict(corpus), as_json)


data.add_command(check)
data.add_command(voicebank_demand)
