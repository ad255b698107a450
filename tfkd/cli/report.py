"""`tfkd report`: one page to look at and listen to."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from tfkd.cli.completion import targets
from tfkd.cli.output import console, json_option, print_json, progress
from tfkd.engines.choice import DEFAULT_MODEL
from tfkd.errors import ConfigError


@click.command()
@click.argument("model", metavar="[NAME|RUN|FOLDER]", default=DEFAULT_MODEL)
@click.option("-o", "--output", required=True, metavar="FILE.html", help="The page to write.")
@click.option(
    "--noisy", metavar="DIR", help="Noisy recordings.  [default: the demo's held-out pairs]"
)
@click.option("--clean", metavar="DIR", help="Their clean partners, of the same names.")
@click.option("--manifest", metavar="CSV", help="SNRs: columns path and snr_db.")
@click.option("--limit", type=click.IntRange(1), help="Score the first N pairs only.")
@click.option(
    "--target",
    metavar="CHIP",
    shell_complete=targets,
    help="Show the limits of a chip, such as nano33ble.",
)
@click.option(
    "--jobs", type=click.IntRange(1), help="Processes for the metrics.  [default: all cores]"
)
@json_option
def report(
    model: str,
    output: str,
    noisy: str | None,
    clean: str | None,
    manifest: str | None,
    limit: int | None,
    target: str | None,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Write one HTML page about a model: to hear, to see, to check.

    Players that switch between noisy, float, int8 and clean, spectrograms and masks, quality per
    SNR, training curves, int8 noise tensor by tensor, the arena over time, a chip's limits. The
    page is one file that needs no network. Its path is printed.

    \b
    Example:
      tfkd report runs/latest -o report.html --target nano33ble
      tfkd report tiny -o tiny.html --noisy noisy_testset_wav --clean clean_testset_wav
    """
    if (noisy is None) != (clean is None):
        raise click.UsageError("--noisy and --clean belong together.")
    if not output.lower().endswith((".html", ".htm")):
        raise ConfigError(f"{output}: the page is HTML. Expected a name that ends in .html.")
    if Path(output).is_dir():
        raise ConfigError(f"{output}: is a folder. Expected the name of a file to write.")
    from firmware_ref.targets import find_target
    from tfkd.evaluate import find_pairs
    from tfkd.report import make_report

    chip = find_target(target) if target else None
    command = ["tfkd", "report", model, "-o", output]
    options = {"--noisy": noisy, "--clean": clean, "--manifest": manifest, "--target": target}
    for option, value in {**options, "--limit": limit}.items():
        if value is not None:
            command += [option, str(value)]
    corpus = f"{noisy}"
    if noisy is None or clean is None:
        from tfkd.data.demo import demo_corpus

        demo = demo_corpus()
        noisy, clean = str(demo.noisy), str(demo.clean)
        corpus = "the demo corpus, which is synthetic: synthesised voices, computed noise"
    pairs = find_pairs(noisy, clean, manifest)[:limit]
    written = make_report(
        model,
        output,
        pairs,
        corpus=corpus,
        command=command,
        target=chip,
        jobs=jobs,
        progress=progress,
    )
    if written.subject.is_converted_here:
        click.echo(
            f"{model} is not converted; its int8 model was made for this page alone. To keep it: "
            f"tfkd convert --tflite-micro {shlex.quote(model)}",
            err=True,
        )
    if as_json:
        print_json("report", written.summary())
    else:
        click.echo(written.path)
        console().print(f"{written.size_bytes / 1e6:.1f} MB, {len(written.examples)} examples")
