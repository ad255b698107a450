"""The teacher: a run that `tfkd train teacher` made, or the one that comes with tfkd."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import tf_keras as keras

from tfkd.config import FrontEndConfig, ModelConfig
from tfkd.config_file import read_config
from tfkd.errors import ModelError
from tfkd.models.blocks import Form
from tfkd.models.dae import build_dae
from tfkd.models.weights import read_weights

WEIGHTS = "float.weights.h5"


@dataclass(frozen=True)
class Teacher:
    """A trained float model with its configuration; used in inference mode only."""

    model: keras.Model
    config: ModelConfig


def find_teacher(folder: str | Path) -> Path:
    """The folder, if a model was trained there.

    Raises:
        ModelError: its configuration or its weights are missing.
    """
    folder = Path(folder)
    for name in ("config.toml", WEIGHTS):
        if not (folder / name).is_file():
            raise ModelError(
                f"{folder}: holds no trained model ({name} is missing). Expected a run directory "
                f"of `tfkd train` that has finished at least one epoch; a teacher comes with tfkd, "
                f"and is used where none is named."
            )
    return folder


def load_teacher(folder: str | Path | None = None) -> Teacher:
    """Load a teacher.

    Args:
        folder: a run directory (config.toml and float.weights.h5); None: the shipped teacher.

    Raises:
        ModelError: the folder holds no trained model, or weights of another shape.
    """
    with _found(folder) as found:
        config = read_config(found / "config.toml").model
        model = build_dae(config, Form.TRAINING)
        read_weights(model, found / WEIGHTS)
    model.trainable = False
    return Teacher(model, config)


def teacher_model_config(folder: str | Path | None = None) -> ModelConfig:
    """The sizes and front end of what `load_teacher` loads, without building it.

    Raises:
        ModelError: the folder holds no trained model.
    """
    with _found(folder) as found:
        return read_config(found / "config.toml").model


def teacher_weights(folder: str | Path | None = None) -> bytes:
    """The file of the weights that `load_teacher` loads.

    Raises:
        ModelError: the folder holds no trained model.
    """
    with _found(folder) as found:
        return (found / WEIGHTS).read_bytes()


def check_frames(student: FrontEndConfig, teacher: FrontEndConfig) -> None:
    """Refuse a teacher whose frames are not the student's.

    Raises:
        ModelError: sample rate, window or hop differ.
    """
    ours, theirs = ((f.sample_rate, f.window, f.hop) for f in (student, teacher))
    if ours != theirs:
        raise ModelError(
            "teacher and student must share sample rate, window and hop, so that their frames "
            f"coincide. Received: student {'/'.join(map(str, ours))}, teacher "
            f"{'/'.join(map(str, theirs))}."
        )


@contextmanager
def _found(folder: str | Path | None) -> Iterator[Path]:
    """The folder of a teacher; None: of the shipped one."""
    if folder is not None:
        yield find_teacher(folder)
        return
    with as_file(files("tfkd").joinpath("assets").joinpath("teacher")) as shipped:
        yield find_teacher(shipped)
