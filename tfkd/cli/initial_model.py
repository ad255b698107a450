"""What `tfkd train --init` begins with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import tfkd
from tfkd.config import Config, FrontEndConfig, ModelConfig
from tfkd.errors import ModelError
from tfkd.released import MODEL_FILE, find_tflite, released_folders

SHIPPED = "teacher"  # stands for the teacher that comes with tfkd


@dataclass(frozen=True)
class InitialModel:
    """A trained model to begin with.

    Attributes:
        reference: as a run keeps it: a name, or a full path.
        weights: the .tflite of a student, the .weights.h5 of a teacher.
        frontend: what it hears; a run that begins with it hears the same unless told otherwise.
        model: its shape; None for a .tflite, which has none written down.
    """

    reference: str
    weights: Path
    frontend: FrontEndConfig
    model: ModelConfig | None = None

    def named_in(self, config: Config) -> Config:
        """The configuration as the run that begins with it keeps it.

        Raises:
            ModelError: its shape is known and another one; the first key that differs is named.
        """
        if self.model is not None:
            self._check_shape(self.model, config.model)
        train = config.train.model_copy(update={"init": self.reference})
        return config.model_copy(update={"train": train})

    def _check_shape(self, received: ModelConfig, expected: ModelConfig) -> None:
        theirs, ours = _shape(received), _shape(expected)
        for key, value in ours.items():
            if theirs[key] != value:
                raise ModelError(
                    f"{self.reference}: is a model of another shape. Expected {key}={value}. "
                    f"Received: {key}={theirs[key]}. Train with --set "
                    f"'{key}={theirs[key]}', or begin with another model."
                )


def initial_student(reference: str) -> InitialModel:
    """A released NAME, a converted RUN or a .tflite FILE.

    Raises:
        ModelError: there is no such model, or tfkd did not make it.
    """
    from tfkd.engines.streaming_model import read_streaming_model

    path = find_tflite(reference)
    released = released_folders().get(reference)
    is_name = released is not None and path == released / MODEL_FILE
    kept = reference if is_name else str(Path(reference).resolve())
    return InitialModel(kept, path, read_streaming_model(path).frontend)


def initial_teacher(reference: str) -> InitialModel:
    """A teacher's RUN, or `SHIPPED`.

    Raises:
        ModelError: no trained model lies there.
    """
    from tfkd.config_file import read_config
    from tfkd.models.teacher import WEIGHTS, find_teacher

    if reference == SHIPPED:  # whatever else a folder of that name holds
        kept, folder = reference, Path(tfkd.__file__).parent / "assets" / "teacher"
    else:
        kept, folder = str(Path(reference).resolve()), find_teacher(reference)
    model = read_config(folder / "config.toml").model
    return InitialModel(kept, folder / WEIGHTS, model.frontend, model)


def _shape(model: ModelConfig) -> dict[str, object]:
    """Key -> value of all that decides what the weights mean."""
    sizes = model.model_dump(mode="json", exclude={"name", "frontend"})
    shape = {"model.frontend.bands": model.frontend.bands}
    return shape | {f"model.{key}": value for key, value in sizes.items()}
