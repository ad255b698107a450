"""`tfkd verify`: prove that all engines compute the same bits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.output import json_option, print_json, progress, working
from tfkd.engines.choice import DEFAULT_MODEL
from tfkd.engines.host_library import find_compiler
from tfkd.released import find_tflite

if TYPE_CHECKING:
    from tfkd.engines.tensor_trace import ModelFile
    from tfkd.verify import EngineComparison
    from tfkd.verify_denoiser import DenoiserComparison
    from tfkd.verify_streaming import StreamingComparison

Arena = dict[str, dict[str, int]]


@click.command()
@click.argument("model", metavar="[NAME|RUN|FILE]", default=DEFAULT_MODEL)
@click.option(
    "--engine",
    "engines",
    multiple=True,
    type=click.Choice(["tflite", "firmware-ref", "c"]),
    help="What to hold against TFLite Micro; repeatable.  [default: all; c where there is a C "
    "compiler]",
)
@click.option(
    "--frames", type=click.IntRange(300), default=500, help="Consecutive frames, with state."
)
@click.option(
    "--seed", type=click.IntRange(0), default=0, help="Of the speech-like or random input."
)
@json_option
def verify(model: str, engines: tuple[str, ...], frames: int, seed: int, as_json: bool) -> None:
    """Prove that all engines compute the same bits.

    Runs TFLite Micro beside TFLite's reference kernels, firmware_ref and the exported C code,
    with state, and compares every tensor; of the C code every mask, and every sample of the
    whole denoiser. A .tflite that tfkd did not make is run on random inputs, beside firmware_ref.
    Exit code 3 and the first differing tensor when they disagree. TFLite rounds
    FULLY_CONNECTED otherwise than TFLite Micro does; such a difference is reported, but is no
    failure.

    \b
    Example:
      tfkd verify runs/latest
      tfkd verify tiny --json
      tfkd verify person_detect.tflite
    """
    from tfkd.engines.streaming_model import read_streaming_model
    from tfkd.errors import NoFrontEndError
    from tfkd.verify import EXPORTED, check, compare_engines, speech_like_features
    from tfkd.verify_denoiser import compare_denoisers

    path = find_tflite(model)
    try:
        streaming = read_streaming_model(path)
    except NoFrontEndError:
        _verify_foreign(path, engines or ("firmware-ref",), frames, seed, as_json)
        return
    engines = engines or _default_engines()
    with working("comparing streaming and offline"):
        offline = _streaming_against_offline(Path(model), seed)
    features = speech_like_features(streaming.frontend, frames, seed)
    with progress("verifying", frames) as advance:
        comparisons = compare_engines(streaming, engines, features, advance)
    denoiser = compare_denoisers(path, frames, seed) if EXPORTED in engines else None
    arena = _arena(streaming)
    if as_json:
        print_json("verify", _as_dict(path, comparisons, denoiser, offline, arena))
    else:
        _print_comparisons(comparisons, denoiser, offline)
        _print_arena(arena)
    check(comparisons)
    if denoiser:
        denoiser.check()
    if offline:
        offline.check()
    _check_arena(arena)


def _verify_foreign(
    path: Path, engines: tuple[str, ...], invocations: int, seed: int, as_json: bool
) -> None:
    """Random inputs for a model of which nothing but the graph is known."""
    from tfkd.verify import check
    from tfkd.verify_foreign import ForeignModel, compare_foreign

    if "c" in engines:
        raise click.UsageError(
            f"{path} carries no front end of tfkd; of such a model, tflite and firmware-ref alone "
            f"are held against TFLite Micro."
        )
    with progress("verifying", invocations) as advance:
        comparisons = compare_foreign(path, engines, invocations, seed, advance)
    arena = _arena(ForeignModel(path.read_bytes()))
    if as_json:
        print_json("verify", _as_dict(path, comparisons, None, None, arena))
    else:
        click.echo(f"{path}: no front end of tfkd, so its inputs are random")
        _print_comparisons(comparisons, None, None)
        _print_arena(arena)
    check(comparisons)
    _check_arena(arena)


def _arena(model: ModelFile) -> Arena:
    """What TFLite Micro reports here, what firmware_ref predicts of it and of a Cortex-M."""
    from firmware_ref.arena import plan_arena
    from tfkd.engines.tflm import ARENA_BYTES
    from tfkd.engines.tflm_arena import tflm_arena_use

    wheel = plan_arena(model.content, abi="x86_64-wheel")
    chip = plan_arena(model.content, abi="cortex-m")
    use = tflm_arena_use(model, max(ARENA_BYTES, 2 * wheel.min_bytes))
    return {
        "x86_64": {"tflm_bytes": use.total_bytes, "predicted_bytes": wheel.total_bytes},
        "cortex_m": {"used_bytes": chip.total_bytes, "min_bytes": chip.min_bytes},
    }


def _print_arena(arena: Arena) -> None:
    here, chip = arena["x86_64"], arena["cortex_m"]
    click.echo(
        f"arena on x86-64: {here['tflm_bytes']:,} bytes used, {here['predicted_bytes']:,} predicted"
    )
    click.echo(
        f"arena on Cortex-M: {chip['used_bytes']:,} bytes used, {chip['min_bytes']:,} needed"
    )


def _check_arena(arena: Arena) -> None:
    from tfkd.errors import VerificationError

    here = arena["x86_64"]
    if here["tflm_bytes"] != here["predicted_bytes"]:
        raise VerificationError(
            f"TFLite Micro uses {here['tflm_bytes']} bytes of its arena, firmware_ref predicts "
            f"{here['predicted_bytes']}. Expected equality; is the tflite-micro wheel the pinned "
            f"one?"
        )


def _default_engines() -> tuple[str, ...]:
    if find_compiler():
        return ("tflite", "firmware-ref", "c")
    click.echo("Left out c: there is no C compiler.", err=True)
    return ("tflite", "firmware-ref")


def _as_dict(
    path: Path,
    comparisons: Sequence[EngineComparison],
    denoiser: DenoiserComparison | None,
    offline: StreamingComparison | None,
    arena: Arena,
) -> dict[str, Any]:
    return {
        "model": str(path),
        "engines": [{**asdict(c), "equal": c.equal, "passed": c.passed} for c in comparisons],
        "c_denoiser": asdict(denoiser) if denoiser else None,
        "streaming": asdict(offline) if offline else None,
        "arena": arena,
    }


def _print_comparisons(
    comparisons: Sequence[EngineComparison],
    denoiser: DenoiserComparison | None,
    offline: StreamingComparison | None,
) -> None:
    for c in comparisons:
        verdict = "equal" if c.equal else f"DIFFERENT: {c.difference}"
        click.echo(f"tflm == {c.engine}: {c.frames} frames, {c.values:,} values, {verdict}")
        if c.difference and c.passed:
            click.echo(f"  allowed: TFLite rounds {c.difference.operator} once, TFLM twice")
    if denoiser:
        verdict = "equal" if not denoiser.different else f"DIFFERENT in {denoiser.different:,}"
        click.echo(
            f"desktop == C with its front end: {denoiser.seconds:.0f} s, "
            f"{denoiser.samples:,} samples, {verdict}"
        )
    if offline:
        click.echo(
            f"streaming == offline: {offline.frames} frames, float within "
            f"{offline.float_difference:.1e}, int8 within {offline.quantized_difference:.1e}"
        )


def _streaming_against_offline(run: Path, seed: int) -> StreamingComparison | None:
    """Compare the Keras models of a run; None when the model is no run."""
    if not (run / "run.json").is_file():
        return None
    from tfkd.train.run_directory import RunDirectory
    from tfkd.verify_streaming import compare_streaming

    return compare_streaming(RunDirectory.open(run), seed)
