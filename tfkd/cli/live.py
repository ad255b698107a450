"""`tfkd live`: from the microphone through the int8 model to the loudspeaker."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfkd.cli.model_options import attenuation_option, engine_option, model_option
from tfkd.cli.output import json_option, print_json
from tfkd.cli.real_range import RealRange
from tfkd.engines.choice import default_engine, engine_factory
from tfkd.errors import AudioError

if TYPE_CHECKING:
    from tfkd.engines.engine import Engine
    from tfkd.live import Levels, Live, Sink, Source

METER_HOPS = 6  # between two drawings
METER_CELLS = 20
METER_FLOOR_DBFS = -60.0


@click.command()
@model_option
@engine_option
@attenuation_option
@click.option("--input", "microphone", metavar="DEVICE", help="Index, or part of a name.")
@click.option("--output", "loudspeaker", metavar="DEVICE", help="Index, or part of a name.")
@click.option("--input-file", metavar="IN", help="A recording instead of the microphone.")
@click.option("--output-file", metavar="OUT", help="A .wav or .flac instead of the loudspeaker.")
@click.option(
    "--latency",
    type=click.Choice(("low", "high")),
    default="low",
    help="Of the devices; high where there are underruns.",
)
@click.option("--seconds", type=RealRange(0, 1e9, min_open=True), help="Stop after so long.")
@click.option("--bypass", is_flag=True, help="Begin with the noisy signal.")
@click.option("--list-devices", is_flag=True, help="Print the devices and stop.")
@json_option
def live(
    model: str,
    engine: str | None,
    max_attenuation_db: float | None,
    microphone: str | None,
    loudspeaker: str | None,
    input_file: str | None,
    output_file: str | None,
    latency: str,
    seconds: float | None,
    bypass: bool,
    list_devices: bool,
    as_json: bool,
) -> None:
    """Denoise what the microphone hears and play it.

    Key b switches between noisy and enhanced, q stops, and so does Ctrl-C (exit code 130). Use
    headphones: a loudspeaker that the microphone hears will howl. At the end the latency, the
    computing time of a hop, and what was lost are printed. Either end may be a file.

    Sound cards need the extra `live`, pip install 'tfkd[live]', and the library PortAudio.

    \b
    Example:
      tfkd live
      tfkd live --model runs/latest --input 2 --output headphones
      tfkd live --input-file noisy.wav --output-file clean.wav
    """
    if list_devices:
        _list_devices(as_json)
        return
    for device, file, name in (
        (microphone, input_file, "input"),
        (loudspeaker, output_file, "output"),
    ):
        if device and file:
            raise click.UsageError(f"--{name} and --{name}-file exclude each other.")
    if input_file and output_file and Path(input_file).resolve() == Path(output_file).resolve():
        raise click.UsageError(f"{output_file} is the input too, and would be replaced.")
    from tfkd.live import Live

    chosen = engine or default_engine()
    opened = engine_factory(chosen, model, max_attenuation_db)()
    ended_by: KeyboardInterrupt | AudioError | None = None
    with (
        _source(opened, microphone, input_file, latency) as source,
        _sink(opened, loudspeaker, output_file, latency) as sink,
    ):
        denoiser = Live(opened, source, sink)
        denoiser.bypass = bypass
        hops = None if seconds is None else max(1, round(1000.0 * seconds / denoiser.hop_ms))
        _print_latency(denoiser)
        try:
            _run(denoiser, hops)
        except (KeyboardInterrupt, AudioError) as error:
            ended_by = error  # raised below: what was written to a file until now is kept
    how = {"model": model, "engine": chosen, "max_attenuation_db": max_attenuation_db}
    _report(denoiser, how, as_json)
    if ended_by:
        raise ended_by


def _device(name: str | None) -> int | str | None:
    return int(name) if name and name.isdecimal() else name


def _source(
    engine: Engine, device: str | None, path: str | None, latency: str
) -> AbstractContextManager[Source]:
    rate, hop = engine.frontend.sample_rate, engine.frontend.hop
    if path:
        from tfkd.live import FileSource

        return nullcontext(FileSource(path, rate))
    from tfkd.sound_card import microphone

    return microphone(_device(device), rate, hop, latency)


def _sink(
    engine: Engine, device: str | None, path: str | None, latency: str
) -> AbstractContextManager[Sink]:
    rate, hop = engine.frontend.sample_rate, engine.frontend.hop
    if path:
        from tfkd.live import recording

        return recording(path, rate)
    from tfkd.sound_card import loudspeaker

    return loudspeaker(_device(device), rate, hop, latency)


def _run(denoiser: Live, hops: int | None) -> None:
    from tfkd.cli.keyboard import pressed_keys

    show = _meter(denoiser)
    with pressed_keys() as keys:

        def watch(levels: Levels) -> bool:
            pressed = keys()
            if pressed.count("b") % 2:
                denoiser.bypass = not denoiser.bypass
            show(levels)
            return "q" not in pressed

        denoiser.run(hops, watch)


def _meter(denoiser: Live) -> Callable[[Levels], None]:
    """A function that draws both levels on one line of stderr, on a terminal only."""
    if not sys.stderr.isatty():
        return lambda levels: None

    def show(levels: Levels) -> None:
        counts = denoiser.statistics
        if counts.hops % METER_HOPS == 0:
            heard = "noisy   " if denoiser.bypass else "enhanced"
            line = (
                f"\rin {bar(levels.noisy_dbfs)} out {bar(levels.enhanced_dbfs)} {heard} "
                f"underruns {counts.underruns}, overflows {counts.overflows} [b, q] "
            )
            click.echo(line, nl=False, err=True)

    return show


def bar(level_dbfs: float) -> str:
    """A level as cells and a number: `[#####...............] -45 dB`."""
    shown = min(0.0, max(METER_FLOOR_DBFS, level_dbfs))
    filled = round(METER_CELLS * (1.0 - shown / METER_FLOOR_DBFS))
    return f"[{'#' * filled:.<{METER_CELLS}}] {level_dbfs:3.0f} dB"


def _print_latency(denoiser: Live) -> None:
    parts = denoiser.latency_ms
    click.echo(
        f"latency {sum(parts.values()):.0f} ms: window {parts['algorithm']:.0f}, "
        f"input {parts['input']:.0f}, output {parts['output']:.0f}",
        err=True,
    )


def _report(denoiser: Live, how: dict[str, Any], as_json: bool) -> None:
    counts = denoiser.statistics
    seconds = counts.hops * denoiser.hop_ms / 1000.0
    if as_json:
        result: dict[str, Any] = {
            **how,
            "seconds": seconds,
            "hop_ms": denoiser.hop_ms,
            "latency_ms": denoiser.latency_ms,
            **asdict(counts),
            "mean_ms": counts.mean_ms,
        }
        print_json("live", result)
        return
    if sys.stderr.isatty():
        click.echo(err=True)  # below the meter
    click.echo(
        f"{seconds:.1f} s with {how['engine']}: {counts.mean_ms:.2f} ms per hop of "
        f"{denoiser.hop_ms:g} ms, at most {counts.longest_ms:.2f} ms; {counts.late_hops} hops "
        f"late, {counts.underruns} underruns, {counts.overflows} overflows"
    )


def _list_devices(as_json: bool) -> None:
    from tfkd.sound_card import devices

    found = devices()
    if as_json:
        print_json("live-devices", {"devices": [asdict(device) for device in found]})
        return
    for device in found:
        defaults = [
            name
            for name, is_default in (
                ("input", device.is_default_input),
                ("output", device.is_default_output),
            )
            if is_default
        ]
        note = f"  (default {' and '.join(defaults)})" if defaults else ""
        click.echo(
            f"{device.index:3} {device.name}: {device.inputs} in, {device.outputs} out, "
            f"{device.default_sample_rate:g} Hz{note}"
        )
