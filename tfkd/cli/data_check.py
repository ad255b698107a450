"""`tfkd data check`: what would spoil a training, before it is spoilt."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.output import json_option, print_json, progress

if TYPE_CHECKING:
    from tfkd.data.check import CorpusReport


@click.command()
@click.argument("folder", metavar="DIR")
@json_option
def check(folder: str, as_json: bool) -> None:
    """Read every recording of a corpus and report what would spoil it.

    Hours, sample rates, channels, clipping, silence, equal recordings, speakers that two of
    train, valid and test share. Exit code 3 when recordings are damaged or the folder cannot be
    split.

    \b
    Example:
      tfkd data check speech/
    """
    from tfkd.data.check import check_corpus
    from tfkd.data.corpus import find_recordings
    from tfkd.errors import CheckFailed

    paths, _ = find_recordings(Path(folder))
    with progress("reading", len(paths)) as advance:
        report = check_corpus(folder, advance)
    if as_json:
        print_json("data-check", {"folder": folder, **_as_dict(report)})
    else:
        _print(report)
    if report.errors:
        raise CheckFailed("\n".join(report.errors))


def _as_dict(report: CorpusReport) -> dict[str, Any]:
    return {
        "recordings": len(report.recordings),
        "hours": report.hours,
        "sample_rates": report.sample_rates,
        "channels": report.channels,
        "split_seconds": report.split_seconds,
        "shared_speakers": {
            f"{one} {other}": list(names) for (one, other), names in report.shared_speakers.items()
        },
        "clipped": [str(path) for path in report.clipped],
        "silent": [str(path) for path in report.silent],
        "duplicates": [[str(path) for path in group] for group in report.duplicates],
        "skipped": [str(path) for path in report.skipped],
        "errors": list(report.errors),
    }


def _print(report: CorpusReport) -> None:
    from tfkd.data.check import shown

    rates = ", ".join(f"{count} at {rate} Hz" for rate, count in report.sample_rates.items())
    channels = ", ".join(f"{count} of {number}" for number, count in report.channels.items())
    click.echo(f"{len(report.recordings)} recordings, {report.hours:.2f} h")
    click.echo(f"sample rates: {rates or 'none'}")
    click.echo(f"channels: {channels or 'none'}")
    for name, seconds in report.split_seconds.items():
        click.echo(f"{name}: {seconds / 60.0:.1f} min")
    for label, found in (
        ("clipped", report.clipped),
        ("silent", report.silent),
        ("not decodable", report.skipped),
    ):
        if found:
            click.echo(f"{label}: {len(found)}: {shown(found)}")
    for group in report.duplicates:
        click.echo(f"same samples: {shown(group)}")
    for (one, other), names in report.shared_speakers.items():
        click.echo(f"speakers, or kinds of noise, in both {one} and {other}: {', '.join(names)}")
