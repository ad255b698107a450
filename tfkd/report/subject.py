"""What a report is about: a run, with what was converted from it, or a .tflite alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tfkd.engines.choice import KERAS, default_engine, engine_factory, int8_engine
from tfkd.engines.engine import Engine
from tfkd.engines.streaming_model import StreamingModel, read_streaming_model
from tfkd.evaluate import check_sample_rates
from tfkd.released import MODEL_FILE, find_tflite
from tfkd.train.run_directory import RunDirectory

FLOAT = "float"
INT8 = "int8"


@dataclass(frozen=True)
class Subject:
    """A run, a .tflite, or both.

    Args:
        reference: what the user called it.
        name: of the model.
        run: None for a .tflite alone.
        tflite: path of the converted model; None for a run that cannot be converted yet.
        streaming: the same, read and checked.
        engines: "float" (a run has it) and "int8" (a .tflite has it).
        int8_engine: which engine computes "int8".
    """

    reference: str
    name: str
    run: RunDirectory | None
    tflite: Path | None
    streaming: StreamingModel | None
    engines: Mapping[str, Engine]
    int8_engine: str

    @property
    def is_converted_here(self) -> bool:
        """Whether the .tflite was made for this report alone."""
        return bool(self.run and self.tflite and self.tflite.parent != self.run.path)


def open_subject(reference: str | Path, scratch: Path) -> Subject:
    """Find a run or a model and open its engines.

    Args:
        reference: a run directory, a folder with model.tflite, a .tflite, or a released name.
        scratch: folder for the conversion of a run that is not converted yet.

    Raises:
        ModelError: no such model, nothing trained in the run, or a sample rate without metrics.
        RunError: a run of another version.
    """
    folder = Path(reference)
    run = RunDirectory.open(folder) if (folder / "run.json").is_file() else None
    tflite = _converted(run, scratch) if run else find_tflite(reference)
    engines: dict[str, Engine] = {}
    if run:
        engines[FLOAT] = engine_factory(KERAS, run.path)()
    streaming = read_streaming_model(tflite) if tflite else None
    int8 = default_engine()
    if streaming:
        engines[INT8] = int8_engine(int8, streaming)
    check_sample_rates(engines)
    name = run.config.model.name if run else streaming.name if streaming else str(reference)
    return Subject(str(reference), name, run, tflite, streaming, engines, int8)


def _converted(run: RunDirectory, scratch: Path) -> Path | None:
    """The run's model.tflite, made in `scratch` where the run has none; None before QAT."""
    if (run.path / MODEL_FILE).is_file():
        return run.path / MODEL_FILE
    if not run.qat_weights.is_file():
        return None
    from tfkd.convert import convert_run

    return convert_run(run, scratch) / MODEL_FILE
