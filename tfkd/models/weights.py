"""Weights from a file into a model, or why they do not go there."""

from __future__ import annotations

from pathlib import Path

import tf_keras as keras

from tfkd.errors import ModelError


def read_weights(model: keras.Model, path: Path) -> None:
    """Load a .weights.h5 that `tfkd train` wrote.

    Raises:
        ModelError: the file is missing or damaged, or holds the weights of another model.
    """
    try:
        model.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"{path}: cannot be read into the model that its config.toml describes ({error}). "
            f"Expected both files as one training wrote them; train again if one is damaged."
        ) from error
