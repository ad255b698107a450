"""The released models: tflite/NAME/ in the repository, tfkd/released/NAME/ in a wheel."""

from __future__ import annotations

from pathlib import Path

from tfkd.errors import ModelError, nearest

_PACKAGE = Path(__file__).parent


def released_folders() -> dict[str, Path]:
    """Name -> folder of every released model; each folder holds a model.tflite."""
    for root in (_PACKAGE / "released", _PACKAGE.parent / "tflite"):
        folders = {path.parent.name: path.parent for path in sorted(root.glob("*/model.tflite"))}
        if folders:
            return folders
    return {}


def released_model(name: str) -> Path:
    """The .tflite of a released model.

    Raises:
        ModelError: there is no such model; names the nearest one.
    """
    folders = released_folders()
    if name not in folders:
        raise ModelError(
            f"No released model is called {name!r}.{nearest(name, folders)} "
            f"Released: {', '.join(folders) or 'none'}."
        )
    return folders[name] / "model.tflite"
