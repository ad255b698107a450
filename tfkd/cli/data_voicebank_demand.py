"""`tfkd data voicebank-demand`: the public benchmark, ready to train and evaluate with."""

from __future__ import annotations

from dataclasses import asdict

import click

from tfkd.cli.output import json_option, print_folders, progress


@click.command("voicebank-demand")
@click.argument("destination", metavar="DIR")
@click.option(
    "--url",
    metavar="BASE",
    help="A mirror that holds the zips under their names.  [default: Edinburgh DataShare]",
)
@click.option("--keep-zips", is_flag=True, help="Keep DIR/downloads when all is written.")
@json_option
def voicebank_demand(destination: str, url: str | None, keep_zips: bool, as_json: bool) -> None:
    """Fetch VoiceBank+DEMAND, check it, resample it to 16 kHz.

    11,572 pairs of 28 speakers to train with, two of them to validate, and 824 pairs of two more
    to test; https://doi.org/10.7488/ds/2117, CC BY 4.0. Some 6 GB travel, over 2 GB stay. A
    second call continues what an interrupted one began, and zips that lie in DIR/downloads
    already are used.

    \b
    Example:
      tfkd data voicebank-demand vbd
      tfkd train --student tiny --noisy vbd/train/noisy --clean vbd/train/clean
      tfkd evaluate runs/latest --noisy vbd/test/noisy --clean vbd/test/clean
    """
    from tfkd.data.voicebank_demand import ARCHIVES, fetch_voicebank_demand, is_complete

    if url and not url.startswith(("http://", "https://")):
        raise click.UsageError(f"--url takes an http or https address, received '{url}'.")
    if is_complete(destination, ARCHIVES):
        click.echo(f"{destination} is complete.", err=True)
    try:
        corpus = fetch_voicebank_demand(
            destination,
            url=url,
            keep_zips=keep_zips,
            archives=ARCHIVES,
            progress=progress,
            note=lambda text: click.echo(text, err=True),
        )
    except KeyboardInterrupt:
        click.echo("\nRun the same command again to continue.", err=True)
        raise
    print_folders("data-voicebank-demand", asdict(corpus), as_json)
