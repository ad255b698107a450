"""`tfkd data`: make the demo corpus, look at corpora."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from tfkd.cli.output import json_option, print_json, progress


@click.group()
def data() -> None:
    """Make the demo corpus; look at folders of recordings before training on them."""


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

    corpus = demo_corpus(Path(output) if output else None)
    folders = {name: str(folder) for name, folder in asdict(corpus).items()}
    if as_json:
        print_json("data-demo", folders)
        return
    for name, folder in folders.items():
        click.echo(f"{name}: {folder}")


@data.command()
@click.argument("folder", metavar="DIR")
@json_option
def check(folder: str, as_json: bool) -> None:
    """Read every recording of a corpus and report what would spoil it.

    Hours, sample rates, clipping, silence, duplicates, speakers shared by train and valid. Exit
    code 3 when recordings are damaged or the folder cannot be split.

    \b
    Example:
      tfkd data check speech/
    """
    from tfkd.data.check import check_corpus, shown
    from tfkd.data.corpus import find_recordings
    from tfkd.errors import CheckFailed

    paths, _ = find_recordings(Path(folder))
    with progress("reading", len(paths)) as advance:
        report = check_corpus(folder, advance)
    if as_json:
        print_json(
            "data-check",
            {
                "folder": folder,
                "recordings": len(report.recordings),
                "hours": report.hours,
                "sample_rates": report.sample_rates,
                "split_seconds": report.split_seconds,
                "shared_speakers": list(report.shared_speakers),
                "clipped": [str(path) for path in report.clipped],
                "silent": [str(path) for path in report.silent],
                "duplicates": [[str(path) for path in group] for group in report.duplicates],
                "skipped": [str(path) for path in report.skipped],
                "errors": list(report.errors),
            },
        )
    else:
        rates = ", ".join(f"{count} at {rate} Hz" for rate, count in report.sample_rates.items())
        click.echo(f"{len(report.recordings)} recordings, {report.hours:.2f} h: {rates}")
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
        if report.shared_speakers:
            shared = ", ".join(report.shared_speakers)
            click.echo(f"speakers, or kinds of noise, in both train and valid: {shared}")
    if report.errors:
        raise CheckFailed("\n".join(report.errors))
