"""`tfkd convert`: a trained run to what a microcontroller takes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.completion import targets
from tfkd.cli.deployed import deployed, fit, print_deployed
from tfkd.cli.exported import exported, print_exported
from tfkd.cli.output import json_option, print_json, working
from tfkd.errors import ConversionError, ModelError, RunError
from tfkd.released import IS_A_TEACHER, MODEL_FILE, find_tflite, released_folders

if TYPE_CHECKING:
    from firmware_ref.targets import Target

C_FOLDER = "c"


@click.command()
@click.argument("source", metavar="[RUN|NAME|FILE]", default="runs/latest")
@click.option(
    "--tflite-micro", is_flag=True, required=True, help="For TFLite Micro; the only format so far."
)
@click.option(
    "--emit-c",
    is_flag=True,
    help="Also write C99 code that needs no interpreter, front end included.",
)
@click.option(
    "-o",
    "--output",
    metavar="DIR",
    help="Where the files go; the C code of a RUN goes to DIR/c.  [default: RUN, or c beside FILE]",
)
@click.option(
    "--target",
    metavar="CHIP",
    shell_complete=targets,
    help="Also check that it fits, such as nano33ble.",
)
@json_option
def convert(
    source: str,
    tflite_micro: bool,
    emit_c: bool,
    output: str | None,
    target: str | None,
    as_json: bool,
) -> None:
    """Convert a run to int8 for TFLite Micro; a run or any .tflite to C99.

    Writes a streaming model.tflite, the same as a C array, a resolver with its operators, and a
    memory report. With --emit-c also the model as C99 code with the front end around it: add the
    files to a firmware and call tfkd_denoise_hop. A released model or a .tflite is converted
    already, so of it the C code alone is written; of a .tflite that tfkd did not make, it has no
    front end. Exit code 3 when the converted graph is not what TFLite Micro or the C export run
    (the tensor or operator is named), or when it does not fit the target.

    \b
    Example:
      tfkd convert --tflite-micro
      tfkd convert --tflite-micro runs/latest --emit-c --target nano33ble
      tfkd convert --tflite-micro tiny --emit-c -o firmware/denoiser
    """
    from firmware_ref.targets import find_target

    chip = find_target(target) if target else None
    tflite = _tflite(source)
    if tflite is None:
        report = _convert_run(source, output, emit_c, chip)
    elif emit_c:
        report = _emit_c(tflite, _c_folder(tflite, output), chip)
    else:
        _check_tflite(tflite)
        raise click.UsageError(f"{source} is converted already; --emit-c writes it as C code.")
    c_target = report["c"]["target"] if report["c"] else None
    if chip and (tflite is None or c_target is None):
        report["target"] = _fit(report, chip)
    if as_json:
        print_json("convert", {"source": source, **report})
    else:
        click.echo("\n".join(report["files"]))
        if "arena" in report:
            print_deployed(report)
        if report["c"]:
            print_exported(report["c"])
    verdicts = [target for target in (report.get("target"), c_target) if target]
    if chip and not all(verdict["fits"] for verdict in verdicts):
        raise ConversionError(f"the model does not fit {chip.name}; see the margins above.")


def _tflite(source: str) -> Path | None:
    """The .tflite that a FILE or a released NAME stands for; None for a run."""
    if Path(source).is_file():
        return Path(source)
    if source in released_folders() and not (Path(source) / "run.json").is_file():
        return released_folders()[source] / MODEL_FILE
    if not Path(source).exists():
        if source.endswith(".tflite"):
            raise ModelError(f"{source}: no such file.")
        if Path(source).name == source:
            return find_tflite(source)  # raises, with the nearest released name
    return None


def _check_tflite(path: Path) -> None:
    from firmware_ref.errors import FirmwareRefError
    from firmware_ref.reader import read_model

    try:
        read_model(path)
    except FirmwareRefError as error:
        raise ModelError(f"{path}: is not a usable .tflite model: {error}") from error


def _c_folder(tflite: Path, output: str | None) -> Path:
    if output:
        return Path(output)
    if tflite.parent in released_folders().values():
        raise click.UsageError("say with -o DIR where the C code of a released model goes.")
    return tflite.parent / C_FOLDER


def _convert_run(run: str, output: str | None, emit_c: bool, chip: Target | None) -> dict[str, Any]:
    from tfkd.train.run_directory import TEACHER, RunDirectory, resume_command

    opened = RunDirectory.open(run)  # or an error, before TensorFlow is imported
    if opened.kind == TEACHER:
        raise RunError(f"{run}: {IS_A_TEACHER}")
    if opened.state() != "finished":
        click.echo(
            f"{run}: its training has not finished, so this is a model on the way. Go on with: "
            f"{resume_command(opened.path)}",
            err=True,
        )
    from tfkd.convert.run import FILES, convert_run

    with working("converting"):
        folder = convert_run(opened, Path(output) if output else None)
    files = [str(folder / name) for name in FILES]
    report = {"files": files, **deployed(folder / MODEL_FILE), "c": None}
    if emit_c:
        c_code = _emit_c(folder / MODEL_FILE, folder / C_FOLDER, chip)
        report |= {"files": files + c_code["files"], "c": c_code["c"]}
    return report


def _emit_c(tflite: Path, folder: Path, chip: Target | None) -> dict[str, Any]:
    """Write the C code; what it costs, and for tfkd's own models what the .tflite costs."""
    from tfkd.c_denoiser import c_sources

    with working("exporting C"):
        sources = c_sources(tflite)
        files = [str(path) for path in sources.write(folder)]
        c_code = exported(sources, folder, chip)
    if sources.frontend is None:
        click.echo(f"{tflite}: carries no front end of tfkd, so the model is alone.", err=True)
        return {"files": files, "path": str(tflite), "c": c_code}
    return {"files": files, **deployed(tflite), "c": c_code}


def _fit(report: dict[str, Any], chip: Target) -> dict[str, Any]:
    """Margins of the model under TFLite Micro."""
    if "arena" not in report:
        missing = ", ".join(report["c"]["missing_tools"])
        raise ConversionError(
            f"whether it fits {chip.name} was not checked: {report['path']} carries no front end "
            f"of tfkd, and to compile its C code {missing} is not installed."
        )
    return fit(report, chip)
