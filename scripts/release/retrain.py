#!/usr/bin/env python
"""Retrain the release: the teacher, the students, then a folder with a model card for each.

    scripts/release/retrain.py --speech speech --noise noise --rir rir --data . --split test

trains in runs/release by the recipes beside this script and writes runs/release/tflite/NAME.
A model with recipes NAME.stage1.toml, ... is trained by these first, one after the other, each
beginning with what the former has learnt, and by NAME.toml last.
The same command again goes on where a killed one stopped: finished runs stay, an interrupted one
resumes. With --seeds 3 every student is also trained with three seeds and, as often, without a
teacher, and its card compares both; --arm-steps shortens these runs, which begin with random
weights and follow the last recipe alone. See make_release.py for what DATA must hold.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from labels import labelled

from tfkd.config import Config
from tfkd.config_file import load_config
from tfkd.errors import RunError, TfkdError
from tfkd.released import MODEL_FILE
from tfkd.train.run_directory import RunDirectory, with_full_path

HERE = Path(__file__).parent
RECIPES = HERE / "recipes"
TEACHER = "teacher"
STUDENTS = ("micro", "tiny", "small")
DEFAULT_METHOD = "cosine"  # of the distilled arm, for a recipe that trains alone
FLOAT_ONLY = "quantize.steps=0"  # a comparison's runs are scored in float
PROMISE_BROKEN = 3

Execute = Callable[[Sequence[str]], int]


@dataclass(frozen=True)
class Training:
    """One `tfkd train`: its folder below the runs, the preset, and what stands above the recipe."""

    folder: str
    preset: str
    options: tuple[str, ...]
    recipe: Path

    @property
    def words(self) -> list[str]:
        """The arguments of `tfkd train` that configure it."""
        what = [TEACHER] if self.preset == TEACHER else ["--student", self.preset]
        return [*what, "--config", str(self.recipe), *self.options]

    def config(self) -> Config:
        """What these arguments resolve to."""
        settings = [v for k, v in _paired(self.options) if k == "--set"]
        flags = {FLAGS[k]: v for k, v in _paired(self.options) if k in FLAGS}
        return load_config(self.preset, [self.recipe], settings, flags)


FLAGS = {
    "--speech": "data.speech",
    "--noise": "data.noise",
    "--rir": "data.rir",
    "--teacher": "distill.teacher",
    "--init": "train.init",
}


def main(execute: Execute | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--speech", type=named_folder, required=True, metavar="DIR")
    parser.add_argument("--noise", type=named_folder, required=True, metavar="DIR")
    parser.add_argument("--rir", type=named_folder, metavar="DIR")
    parser.add_argument(
        "--data", type=named_folder, required=True, metavar="DIR", help="pairs and manifest.csv"
    )
    parser.add_argument("--split", choices=("test", "valid"), default="test")
    parser.add_argument("--runs", type=Path, default=Path("runs/release"), metavar="DIR")
    parser.add_argument("--teacher", metavar="RUN", help="use this one, train none")
    parser.add_argument("--student", action="append", choices=STUDENTS, help="default: all")
    parser.add_argument("--seeds", type=int, default=1, help="of each arm, to compare both")
    parser.add_argument("--arm-steps", type=int, metavar="N", help="of each; default: the recipe's")
    parser.add_argument(
        "--other",
        type=labelled,
        action="append",
        default=[],
        metavar="LABEL=DIR",
        help="see make_release.py",
    )
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--threads", default="0")
    arguments = parser.parse_args()
    try:
        return retrain(arguments, execute or run_command)
    except TfkdError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("\nRun the same command again to go on.", file=sys.stderr)
        return 130


def retrain(arguments: argparse.Namespace, execute: Execute) -> int:
    """Do what is not done yet; returns 3 when a release does not keep its promises."""
    runs = arguments.runs
    common = ["--speech", arguments.speech, "--noise", arguments.noise]
    common += ["--rir", arguments.rir] if arguments.rir else []
    common += [word for setting in arguments.set for word in ("--set", setting)]
    threads = arguments.threads
    teacher = arguments.teacher
    if not teacher:
        final = train_former_stages(TEACHER, tuple(common), runs, threads, execute)
        train(final, runs, threads, execute)
        teacher = str(newest(runs / TEACHER))
    exit_code = 0
    for student in arguments.student or STUDENTS:
        options = (*common, "--teacher", teacher)
        released = train_former_stages(student, options, runs, threads, execute)
        fresh = Training(student, student, options, released.recipe)
        distilled, alone = arms(released, fresh, arguments.seeds, arguments.arm_steps)
        for training in unique([released, *distilled, *alone]):
            train(training, runs, threads, execute)
        compared = [("--distilled", t) for t in distilled] + [("--alone", t) for t in alone]
        exit_code = max(exit_code, release(released, compared, arguments, execute))
    return exit_code


def train_former_stages(
    preset: str, options: tuple[str, ...], runs: Path, threads: str, execute: Execute
) -> Training:
    """Train every stage but the last, which it returns; each begins with what the former learnt.

    Raises:
        RunError: a folder holds a run of another recipe, or a training failed.
    """
    *before, last = recipes(preset)
    begun = options
    for stage, path in enumerate(before, start=1):
        training = Training(f"{preset}.stage{stage}", preset, begun, path)
        train(training, runs, threads, execute)
        run = newest(runs / training.folder)
        if preset != TEACHER:  # a student begins with int8 weights
            convert(run, execute)
        begun = (*options, "--init", str(run))
    return Training(preset, preset, begun, last)


def train(training: Training, runs: Path, threads: str, execute: Execute) -> None:
    """Begin a training or go on with it.

    Raises:
        RunError: the folder holds a run of another recipe, or the training failed.
    """
    command = [sys.executable, "-m", "tfkd", "train", "--threads", threads]
    folder = runs / training.folder
    begun = newest(folder)
    if begun is None:
        command += [*training.words, "--runs", str(folder)]
    else:
        run = RunDirectory.open(begun)
        if run.config != with_full_path(training.config()):
            raise RunError(
                f"{begun}: was begun with another recipe or other options. Expected those of "
                f"{training.recipe}. Name another folder with --runs, or delete this one."
            )
        if run.state() == "finished":
            return
        command += ["--resume", str(begun)]
    if execute(command):
        raise RunError(f"the training in {folder} failed; see above. Mend it, then run this again.")


def convert(run: Path, execute: Execute) -> None:
    """Make the .tflite of a finished stage, for the next to begin with.

    Raises:
        RunError: that failed.
    """
    if (run / MODEL_FILE).is_file():
        return
    if execute([sys.executable, "-m", "tfkd", "convert", "--tflite-micro", str(run)]):
        raise RunError(f"{run}: cannot be converted; see above. Mend it, then run this again.")


def release(
    training: Training,
    compared: Sequence[tuple[str, Training]],
    arguments: argparse.Namespace,
    execute: Execute,
) -> int:
    """Write a student's release unless it is there already; its exit code is 0 or 3.

    Raises:
        RunError: it could not be written.
    """
    runs = arguments.runs
    run, folder = newest(runs / training.folder), runs / "tflite" / training.preset
    command = [sys.executable, str(HERE / "make_release.py"), str(run), str(folder)]
    command += ["--data", arguments.data, "--split", arguments.split]
    for option, other in compared:
        command += [option, str(newest(runs / other.folder))]
    for label, outputs in arguments.other:
        command += ["--other", f"{label}={outputs}"]
    made = folder.with_name(f"{training.preset}.made.json")
    is_there = made.is_file() and (folder / "release.json").is_file()
    if is_there and json.loads(made.read_text("utf-8"))["command"] == command[1:]:
        return int(json.loads(made.read_text("utf-8"))["exit_code"])
    exit_code = execute([*command, "--commands", documented(arguments)])
    if exit_code not in (0, PROMISE_BROKEN):
        raise RunError(f"{folder}: the release could not be made; see above.")
    made.write_text(json.dumps({"command": command[1:], "exit_code": exit_code}) + "\n", "utf-8")
    return exit_code


def arms(
    released: Training, fresh: Training, seeds: int, steps: int | None = None
) -> tuple[list[Training], list[Training]]:
    """The runs distilled and alone that a card compares; none for a single seed.

    Args:
        released: is one of them, where it is `fresh` and the steps are its own.
        fresh: the same recipe, begun with random weights: what the arms have in common.
        steps: of each run; None: as many as the recipe's.
    """
    if seeds < 2:
        return [], []
    config = fresh.config()
    method, first = config.distill.method, config.train.seed
    length = () if steps is None else ("--set", f"train.steps={steps}")

    def arm(name: str, chosen: str) -> list[Training]:
        return [
            released
            if released == fresh and chosen == method and seed == first and steps is None
            else Training(
                f"{fresh.folder}-{name}-seed{seed}",
                fresh.preset,
                (
                    *fresh.options,
                    *("--set", f"distill.method={chosen}", "--set", f"train.seed={seed}"),
                    *("--set", FLOAT_ONLY),
                    *length,
                ),
                fresh.recipe,
            )
            for seed in range(first, first + seeds)
        ]

    return arm("distilled", DEFAULT_METHOD if method == "none" else method), arm("alone", "none")


def documented(arguments: argparse.Namespace) -> str:
    """This command with folders by their last names, for the card."""
    words = ["scripts/release/retrain.py"]
    for option in ("speech", "noise", "rir", "data"):
        value = getattr(arguments, option)
        words += [f"--{option}", Path(value).resolve().name] if value else []
    words += ["--split", arguments.split] if arguments.split != "test" else []
    words += ["--teacher", Path(arguments.teacher).resolve().name] if arguments.teacher else []
    words += [word for name in arguments.student or () for word in ("--student", name)]
    words += ["--seeds", str(arguments.seeds)] if arguments.seeds > 1 else []
    words += ["--arm-steps", str(arguments.arm_steps)] if arguments.arm_steps else []
    for label, outputs in arguments.other:
        words += ["--other", f"{label}={outputs.resolve().name}"]
    words += [word for setting in arguments.set for word in ("--set", setting)]
    return shlex.join(words)


def recipes(preset: str) -> list[Path]:
    """Of each stage, in their order."""
    return [*sorted(RECIPES.glob(f"{preset}.stage*.toml")), RECIPES / f"{preset}.toml"]


def named_folder(name: str) -> str:
    """A folder's name as it is given, which an unset variable of the shell is not."""
    if not name:
        raise argparse.ArgumentTypeError("is empty. Expected a folder")
    return name


def newest(folder: Path) -> Path | None:
    """The run in a folder, if it has one that can be resumed."""
    latest = folder / "latest"
    return latest.resolve() if (latest / "run.json").is_file() else None


def unique(trainings: Sequence[Training]) -> list[Training]:
    return list(dict.fromkeys(trainings))


def run_command(command: Sequence[str]) -> int:
    print(f"\n$ {shlex.join(command)}", file=sys.stderr)
    return subprocess.run(command, check=False).returncode


def _paired(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    return zip(options[::2], options[1::2], strict=True)


if __name__ == "__main__":
    sys.exit(main())
