#!/usr/bin/env python
"""Make a trained teacher small enough to come with tfkd: weights rounded to half precision.

    scripts/release/ship_teacher.py runs/release/teacher/latest tfkd/assets/teacher

Writes config.toml, without folders, and float.weights.h5, compressed; the README.md beside them,
which names the recordings, is written by hand.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import h5py
import numpy as np

from tfkd.atomic import atomic_path
from tfkd.config_file import dump_toml
from tfkd.errors import RunError, TfkdError
from tfkd.train.run_directory import RunDirectory

LIMIT_BYTES = 8_000_000
SMALLEST_COMPRESSED = 64  # values; smaller data sets would grow
SECTIONS = ("model", "data", "train", "loss")
FOLDERS = {"speech", "noise", "rir", "noisy", "clean"}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    try:
        ship(RunDirectory.open(arguments.run), arguments.folder)
    except TfkdError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def ship(run: RunDirectory, folder: Path) -> None:
    """Write the folder.

    Raises:
        RunError: the run is no finished teacher, or too large to ship.
    """
    if run.kind != "teacher" or run.state() != "finished":
        raise RunError(
            f"{run.path}: expected a finished teacher, received a {run.kind} that is {run.state()}."
        )
    config = run.config.model_dump(exclude_none=True)
    config["data"] = {k: v for k, v in config["data"].items() if k not in FOLDERS}
    config["train"].pop("init", None)  # may be a folder too
    folder.mkdir(parents=True, exist_ok=True)
    with atomic_path(folder / "float.weights.h5") as temporary:
        round_weights(run.float_weights, temporary)
        if temporary.stat().st_size > LIMIT_BYTES:
            raise RunError(
                f"{run.path}: its weights take {temporary.stat().st_size:,} bytes rounded and "
                f"compressed. Expected at most {LIMIT_BYTES:,}."
            )
    with atomic_path(folder / "config.toml") as temporary:
        temporary.write_text(dump_toml({name: config[name] for name in SECTIONS}), "utf-8")


def round_weights(source: Path, target: Path) -> None:
    """Copy an HDF5 file of weights, its float32 values rounded to half precision."""
    with h5py.File(source) as weights, h5py.File(target, "w") as rounded:

        def copy(name: str, node: h5py.Group | h5py.Dataset) -> None:
            if isinstance(node, h5py.Dataset):
                values = node[()]
                if node.dtype == np.float32:
                    values = values.astype(np.float16).astype(np.float32)
                packed = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
                options = packed if np.size(values) > SMALLEST_COMPRESSED else {}
                copied = rounded.create_dataset(name, data=values, **options)
            else:
                copied = rounded.require_group(name)
            copied.attrs.update(node.attrs)

        rounded.attrs.update(weights.attrs)
        weights.visititems(copy)


if __name__ == "__main__":
    sys.exit(main())
