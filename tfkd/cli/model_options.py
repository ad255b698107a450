"""The options that say which model a command runs, and on what."""

from __future__ import annotations

import click

from tfkd.cli.real_range import RealRange
from tfkd.engines.choice import DEFAULT_MODEL, ENGINES

model_option = click.option(
    "--model",
    default=DEFAULT_MODEL,
    metavar="NAME|RUN|FILE",
    help="A released model, a run directory or a .tflite.",
)
attenuation_option = click.option(
    "--max-attenuation",
    "max_attenuation_db",
    type=RealRange(0.0),
    metavar="DB",
    help="Remove no more than so much: the noisy signal stays under the enhanced one.  [default: "
    "the limit that the model was trained with, if any]",
)
engine_option = click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="What computes the model; keras runs the float student of a RUN.  [default: tflm, or "
    "firmware-ref where tflm is not installed]",
)
