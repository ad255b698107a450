"""Where .tflite files lie: released ones, and what a NAME, RUN or FILE stands for.

Released models are tflite/NAME/ in the repository, tfkd/released/NAME/ in a wheel.
"""

from __future__ import annotations

import contextlib
import json
import shlex
from pathlib import Path

from tfkd.errors import ModelError, nearest

_PACKAGE = Path(__file__).parent
MODEL_FILE = "model.tflite"  # in a released folder and in a converted run
IS_A_TEACHER = (
    "is a teacher, of which there is no int8 model. Expected a student: "
    "tfkd train --student tiny --teacher RUN"
)


def released_folders() -> dict[str, Path]:
    """Name -> folder of every released model; each folder holds a model.tflite."""
    for root in (_PACKAGE / "released", _PACKAGE.parent / "tflite"):
        folders = {path.parent.name: path.parent for path in sorted(root.glob(f"*/{MODEL_FILE}"))}
        if folders:
            return folders
    return {}


def _what_a_run_lacks(run: Path) -> str:
    """Why there is no .tflite in it, and what to do."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if json.loads((run / "run.json").read_text("utf-8"))["kind"] == "teacher":
            return IS_A_TEACHER
    return (
        f"holds no {MODEL_FILE}. Convert the run first: "
        f"tfkd convert --tflite-micro {shlex.quote(str(run))}"
    )


def find_tflite(reference: str | Path) -> Path:
    """The .tflite that a NAME, RUN or FILE stands for.

    Args:
        reference: a .tflite file, a folder that holds model.tflite (a converted run, a released
            model), or the name of a released model.

    Raises:
        ModelError: none of these; the nearest released name is offered.
    """
    path = Path(reference)
    if path.is_file():
        return path
    if (path / MODEL_FILE).is_file():
        return path / MODEL_FILE
    if (path / "run.json").is_file():
        raise ModelError(f"{path}: {_what_a_run_lacks(path)}")
    released = released_folders()
    if str(reference) in released:  # whatever else a folder of that name holds
        return released[str(reference)] / MODEL_FILE
    if path.is_dir():
        raise ModelError(
            f"{path}: holds no {MODEL_FILE} and is no run directory. Expected one of these, or a "
            f"released model's name."
        )
    raise ModelError(
        f"no model '{reference}'. Expected a .tflite file, a run directory, or one of the released "
        f"models ({', '.join(released) or 'none in this installation'})."
        f"{nearest(str(reference), released)}"
    )
