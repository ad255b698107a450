"""The folder that holds everything of one training run.

runs/<utc>-<model>-<hash6>/
  run.json           schema, kind (teacher or student), model, state (running, finished)
  config.toml        the resolved configuration
  env.json           versions, git commit, host, threads, command and the folder it was given in
  init.tflite        what a student began with, if train.init names it; init.weights.h5: a teacher
  train.log          what the run said
  history.csv        one row per epoch of the float phase; history_qat.csv of the QAT phase
  checkpoints/       float/ and qat/: the last states, to resume from
  float.weights.h5   the best float weights (training form, averaged)
  qat.weights.h5     the best quantisation-aware weights
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from datetime import datetime, timezone
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import tfkd
from tfkd.atomic import atomic_path
from tfkd.config import Config
from tfkd.config_file import dump_config, read_config
from tfkd.errors import RunError

SCHEMA = 1
TEACHER = "teacher"  # a run's kind; the other is "student"
GLOB_CHARACTERS = "*?["
PACKAGES = ("tensorflow", "tf-keras", "tensorflow-model-optimization", "tensorflow-io", "numpy")


class RunDirectory:
    """A run on disk; create one with `create`, find one with `open`."""

    def __init__(self, path: Path, config: Config, kind: str) -> None:
        self.path = path
        self.config = config
        self.kind = kind

    @classmethod
    def create(
        cls,
        runs: str | Path,
        config: Config,
        kind: str,
        initial: Path | None = None,
        threads: int = 0,
    ) -> RunDirectory:
        """Make a new folder below `runs`, never an existing one, and point `runs/latest` at it.

        Args:
            initial: the weights that `train.init` stands for; the run keeps a copy.
            threads: that it is trained with, for those who resume it; 0: all cores.
        """
        config = with_full_path(config)
        _check_path(Path(runs))
        latest = Path(runs) / "latest"
        if latest.exists() and not latest.is_symlink():
            raise RunError(
                f"{latest}: is in the way. Expected no such file or folder, or the link to the "
                f"latest run that tfkd keeps there. Rename it."
            )
        text = dump_config(config)
        stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(text.encode()).hexdigest()[:6]
        base = Path(runs) / f"{stamp}-{config.model.name}-{digest}"
        path, suffix = base, 1
        while True:
            try:
                path.mkdir(parents=True)
                break
            except FileExistsError:
                suffix += 1
                path = base.with_name(f"{base.name}-{suffix}")
            except OSError as error:
                raise RunError(f"{path}: cannot create the run directory. {error}") from error
        run = cls(path, config, kind)
        if initial is not None:
            shutil.copyfile(initial, run.initial_weights)
        run._write_records(threads)
        try:
            _point(latest, path)
        except OSError as error:
            shutil.rmtree(path)
            raise RunError(
                f"{latest}: cannot be made a link to the latest run. {error}. Runs need a folder "
                f"on a file system with symbolic links."
            ) from error
        return run

    @classmethod
    def create_at(cls, path: Path, config: Config, kind: str) -> RunDirectory:
        """Make a run of a given name, as a study does; an interrupted creation is completed."""
        _check_path(path)
        path.mkdir(parents=True, exist_ok=True)
        run = cls(path, config, kind)
        run._write_records(threads=1)
        return run

    @classmethod
    def open(cls, path: str | Path) -> RunDirectory:
        """Open an existing run.

        Raises:
            RunError: no run there, or one of another version.
        """
        folder = Path(path)
        if not (folder / "run.json").is_file():
            raise RunError(
                f"{folder}: is not a run directory (no run.json). Expected a folder that "
                f"`tfkd train` made: name one, or train one first."
            )
        schema = _record(folder / "run.json", "schema")["schema"]
        if schema != SCHEMA:
            raise RunError(
                f"{folder}: run of schema {schema}, this version of tfkd ({tfkd.__version__}) "
                f"reads schema {SCHEMA}. Use the tfkd that made it, or train again."
            )
        record = _record(folder / "run.json", "kind", "state")
        return cls(folder.resolve(), read_config(folder / "config.toml"), record["kind"])

    def _write_records(self, threads: int) -> None:
        self.write_text("config.toml", dump_config(self.config))
        record = {**environment(), "threads": threads, "folder": os.getcwd()}
        self.write_json("env.json", record)
        self.set_state("running")

    def check_recordings(self) -> None:
        """Refuse to go on with other recordings: relative folders may mean others elsewhere.

        Raises:
            RunError: the run began in another folder, where such a folder lies; or its record
                cannot be read.
        """
        began = Path(_record(self.path / "env.json").get("folder") or os.getcwd())
        data = self.config.data
        for folder in filter(None, (data.speech, data.noise, data.rir, data.noisy, data.clean)):
            then = (began / folder).resolve()
            if then.is_dir() and then != Path(folder).resolve():
                raise RunError(
                    f"{self.path}: was begun in {began}, and its recordings are {then}. Continue "
                    f"it there: cd {shlex.quote(str(began))}"
                )

    def threads(self) -> int:
        """The threads that the run began with, on which its weights depend; 0: all cores.

        Raises:
            RunError: its record cannot be read.
        """
        return int(_record(self.path / "env.json").get("threads") or 0)

    def discard(self) -> None:
        """Delete a run that has come to nothing; `latest` goes back to the newest other one."""
        runs = self.path.parent
        shutil.rmtree(self.path)
        link = runs / "latest"
        others = sorted(record.parent for record in runs.glob("*/run.json"))
        others = [folder for folder in others if folder.name != link.name]
        if others:
            _point(link, others[-1])
        else:
            link.unlink(missing_ok=True)

    @property
    def initial_weights(self) -> Path:
        return self.path / ("init.weights.h5" if self.kind == TEACHER else "init.tflite")

    @property
    def float_weights(self) -> Path:
        return self.path / "float.weights.h5"

    @property
    def qat_weights(self) -> Path:
        return self.path / "qat.weights.h5"

    def checkpoints(self, phase: str) -> Path:
        return self.path / "checkpoints" / phase

    def history(self, phase: str) -> Path:
        return self.path / ("history.csv" if phase == "float" else f"history_{phase}.csv")

    def state(self) -> str:
        return str(_record(self.path / "run.json", "state")["state"])

    def set_state(self, state: str) -> None:
        self.write_json(
            "run.json",
            {
                "schema": SCHEMA,
                "kind": self.kind,
                "model": self.config.model.name,
                "state": state,
                "tfkd": tfkd.__version__,
            },
        )

    def write_text(self, name: str, text: str) -> None:
        with atomic_path(self.path / name) as temporary:
            temporary.write_text(text, "utf-8")

    def write_json(self, name: str, content: dict[str, Any]) -> None:
        self.write_text(name, json.dumps(content, indent=2) + "\n")


def _record(path: Path, *required: str) -> dict[str, Any]:
    """A record that tfkd has written.

    Raises:
        RunError: it is missing, damaged, or lacks a required key.
    """
    try:
        content = json.loads(path.read_text("utf-8"))
        if not isinstance(content, dict):
            raise ValueError("Expected one JSON object.")
        missing = [key for key in required if key not in content]
        if missing:
            raise ValueError(f"It lacks {', '.join(missing)}.")
        return content
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read as a run record. {error}") from error


def resume_command(run: Path) -> str:
    """What a user enters to go on with a run."""
    return f"tfkd train --resume {shlex.quote(str(run))}"


def with_full_path(config: Config) -> Config:
    """The configuration as a run keeps it: a teacher `runs/latest` means another run soon."""
    if not config.distill.teacher:
        return config
    teacher = str(Path(config.distill.teacher).resolve())
    distill = config.distill.model_copy(update={"teacher": teacher})
    return config.model_copy(update={"distill": distill})


def _check_path(path: Path) -> None:
    """RunError for a path that TensorFlow takes for a pattern: it finds no checkpoint there."""
    if any(character in str(path.resolve()) for character in GLOB_CHARACTERS):
        raise RunError(
            f"{path.resolve()}: holds one of the characters {' '.join(GLOB_CHARACTERS)}, and "
            f"TensorFlow could not find its checkpoints there. Choose another folder."
        )


def environment() -> dict[str, Any]:
    """Versions, machine and command, for the record."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    return {
        "tfkd": tfkd.__version__,
        "python": platform.python_version(),
        "packages": versions,
        "platform": platform.platform(),
        "cpus": os.cpu_count(),
        "git": _git_commit(),
        "command": [Path(sys.argv[0]).name, *sys.argv[1:]],
        "utc": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _git_commit() -> str | None:
    """Commit of tfkd's source tree, with "+" when it has changes; None outside git."""
    root = Path(tfkd.__file__).parent.parent
    command = ["git", "-C", str(root), "describe", "--always", "--abbrev=40", "--dirty=+"]
    try:
        result = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return result.stdout.strip()


def _point(link: Path, target: Path) -> None:
    """Make `link` a relative symbolic link to `target`, replacing an older one atomically."""
    temporary = link.with_name(f".{link.name}.{os.getpid()}")
    temporary.symlink_to(target.name)
    temporary.replace(link)
