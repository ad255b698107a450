"""Which engine runs which model: names on the command line to objects.

Imports nothing heavy itself, so that `tfkd --help` is instant.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from tfkd.errors import RunError
from tfkd.released import find_tflite

if TYPE_CHECKING:
    from tfkd.engines.engine import Engine
    from tfkd.engines.int8_engine import Int8Engine
    from tfkd.engines.streaming_model import StreamingModel

KERAS = "keras"
_INT8_ENGINES = {  # name -> module of tfkd.engines and class; imported when used
    "tflite": ("tflite", "TfliteEngine"),
    "tflm": ("tflm", "TflmEngine"),
    "firmware-ref": ("firmware_ref", "FirmwareRefEngine"),
    "c": ("c", "CEngine"),
}
ENGINES = (KERAS, *_INT8_ENGINES)
DEFAULT_MODEL = "tiny"


def default_engine() -> str:
    """TFLite Micro where its wheel is installed, else firmware_ref: equal bits, at once.

    TensorFlow would compute the same, some seconds later: it takes long to import.
    """
    return "tflm" if find_spec("tflite_micro") else "firmware-ref"


def int8_engine(name: str, model: StreamingModel) -> Int8Engine:
    """An engine by name for a checked model."""
    module, kind = _INT8_ENGINES[name]
    engine: Int8Engine = getattr(import_module(f"tfkd.engines.{module}"), kind)(model)
    return engine


def engine_factory(
    name: str, reference: str | Path, max_attenuation_db: float | None = None
) -> Callable[[], Engine]:
    """A function that makes engines for one model; each has a state of its own.

    Args:
        name: one of `ENGINES`.
        reference: the model; see `find_tflite`.
        max_attenuation_db: 0 or more, see `LimitedEngine`; None: as the model was trained.

    Raises:
        ModelError: no such model, or one that cannot be used.
        RunError: the Keras engine needs a run directory.
    """
    if max_attenuation_db is not None:
        from tfkd.engines.limited import LimitedEngine

        limit, open_engine = max_attenuation_db, engine_factory(name, reference)
        return lambda: LimitedEngine(open_engine(), limit)
    if name == KERAS:
        if not Path(reference).is_dir():
            raise RunError(
                f"{reference}: is no run directory, and the engine keras computes the float model "
                f"of one; released models and .tflite files hold the int8 model alone. Give a run, "
                f"such as runs/latest, or choose another engine or system."
            )
        from tfkd.engines.keras import KerasEngine
        from tfkd.models.teacher import load_teacher

        student = load_teacher(reference)
        return lambda: KerasEngine(student)
    from tfkd.engines.streaming_model import read_streaming_model

    model = read_streaming_model(find_tflite(reference))
    return lambda: int8_engine(name, model)
