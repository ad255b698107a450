"""`tfkd convert`: a trained run to what a microcontroller takes."""

from __future__ import annotations

from pathlib import Path

import click

from tfkd.cli.completion import targets
from tfkd.cli.deployed import deployed, fit, print_deployed
from tfkd.cli.output import json_option, print_json, working
from tfkd.errors import ConversionError


@click.command()
@click.argument("run", metavar="[RUN]", default="runs/latest")
@click.option(
    "--tflite-micro", is_flag=True, required=True, help="For TFLite Micro; the only format so far."
)
@click.option("-o", "--output", metavar="DIR", help="Where the files go.  [default: RUN]")
@click.option(
    "--target",
    metavar="CHIP",
    shell_complete=targets,
    help="Also check that it fits, such as nano33ble.",
)
@json_option
def convert(
    run: str, tflite_micro: bool, output: str | None, target: str | None, as_json: bool
) -> None:
    """Convert a run to int8 for TFLite Micro.

    Writes a streaming model.tflite, the same as a C array, a resolver with its operators, and a
    memory report. Exit code 3 when the converted graph is not what TFLite Micro runs (the
    tensor or operator is named), or when it does not fit the target.

    \b
    Example:
      tfkd convert --tflite-micro
      tfkd convert --tflite-micro runs/latest --target nano33ble
    """
    from firmware_ref.targets import find_target
    from tfkd.convert import convert_run
    from tfkd.train.run_directory import RunDirectory

    chip = find_target(target) if target else None
    with working("converting"):
        folder = convert_run(RunDirectory.open(run), Path(output) if output else None)
    report = deployed(folder / "model.tflite")
    if chip:
        report["target"] = fit(report, chip)
    files = [str(path) for path in (*sorted(folder.glob("model*")), folder / "memory.json")]
    if as_json:
        print_json("convert", {"run": run, "files": files, **report})
    else:
        click.echo("\n".join(files))
        print_deployed(report)
    if chip and not report["target"]["fits"]:
        raise ConversionError(f"the model does not fit {chip.name}; see the margins above.")
