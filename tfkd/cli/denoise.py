"""`tfkd denoise`: noisy recordings to clean ones."""

from __future__ import annotations

import time
from dataclasses import asdict

import click

from tfkd.cli.model_options import attenuation_option, engine_option, model_option
from tfkd.cli.output import console, json_option, print_json, progress
from tfkd.engines.choice import default_engine, engine_factory
from tfkd.errors import AudioError


@click.command()
@click.argument("sources", metavar="IN...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="OUT", help="File, or folder for several.")
@model_option
@engine_option
@attenuation_option
@json_option
def denoise(
    sources: tuple[str, ...],
    output: str,
    model: str,
    engine: str | None,
    max_attenuation_db: float | None,
    as_json: bool,
) -> None:
    """Denoise files or folders of recordings.

    Any length, sample rate and channel count. The output is aligned with the input to the
    sample and has its length, rate and channels; folders become folders of .wav with the same
    names. The path of each output is printed.

    \b
    Example:
      tfkd denoise noisy.wav -o clean.wav
      tfkd denoise recordings/ -o denoised/ --model runs/latest --engine tflm
      tfkd denoise noisy.wav -o softer.wav --max-attenuation 12
    """
    from tfkd import audio
    from tfkd.denoise import denoise_file, plan_outputs

    pairs = plan_outputs(sources, output)
    engine = engine or default_engine()
    open_engine = engine_factory(engine, model, max_attenuation_db)
    failures, done = 0, []
    started = time.perf_counter()
    for source, target in pairs:
        try:
            with progress(source.name, audio.info(source).seconds) as advance:
                result = denoise_file(source, target, open_engine, advance)
        except AudioError as error:
            if len(pairs) == 1:
                raise
            failures += 1
            click.echo(f"Error: {error}", err=True)
            continue
        done.append(result)
        if result.gain < 1.0:
            console().print(f"{target}: scaled by {result.gain:.3f} to keep it from clipping")
        if not as_json:
            click.echo(target)
    elapsed = time.perf_counter() - started
    seconds = sum(result.seconds * result.channels for result in done)
    if as_json:
        files = [
            {**asdict(result), "source": str(result.source), "output": str(result.output)}
            for result in done
        ]
        speed = {"channel_seconds": seconds, "elapsed_s": elapsed}
        how = {"engine": engine, "model": model, "max_attenuation_db": max_attenuation_db}
        print_json("denoise", {**how, "files": files, **speed})
    elif done:
        console().print(f"{seconds:.1f} s of audio in {elapsed:.1f} s, {seconds / elapsed:.0f}x")
    if failures:
        raise AudioError(f"{failures} of {len(pairs)} recordings could not be denoised.")
