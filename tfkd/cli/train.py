"""`tfkd train`: a teacher, or a student that learns from one."""

from __future__ import annotations

import contextlib
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

import tfkd
from tfkd.cli.completion import students
from tfkd.cli.output import json_option, print_json
from tfkd.errors import RunError, TfkdError

if TYPE_CHECKING:
    import tensorflow as tf

    from tfkd.cli.initial_model import InitialModel
    from tfkd.config import Config
    from tfkd.train.run_directory import RunDirectory

_Command = TypeVar("_Command", bound=Callable[..., Any])

TEACHER = "teacher"
RUNS = "runs"
DEMO_TRAINING = Path(tfkd.__file__).parent / "assets" / "demo" / "training.toml"


def _flag(name: str, key: str, **options: Any) -> Callable[[_Command], _Command]:
    """An option whose value becomes the configuration key `key`."""
    return click.option(name, key.replace(".", "__"), **options)


@click.command()
@click.argument("what", metavar="[teacher]", type=click.Choice([TEACHER]), required=False)
@click.option(
    "--student",
    metavar="NAME",
    shell_complete=students,
    help="Preset to train, such as tiny; see `tfkd students`.",
)
@_flag("--speech", "data.speech", metavar="DIR", help="Clean speech.  [default: the demo corpus]")
@_flag("--noise", "data.noise", metavar="DIR", help="Noise.  [default: the demo corpus]")
@_flag("--rir", "data.rir", metavar="DIR", help="Room impulse responses.")
@_flag("--noisy", "data.noisy", metavar="DIR", help="Noisy half of a paired corpus.")
@_flag("--clean", "data.clean", metavar="DIR", help="Clean half, of the same names.")
@_flag(
    "--teacher",
    "distill.teacher",
    metavar="RUN",
    help="Teacher of the student.  [default: the shipped teacher]",
)
@_flag(
    "--method",
    "distill.method",
    metavar="NAME",
    help="Distillation loss, such as hint or none.  [default: cosine]",
)
@_flag("--weight", "distill.weight", type=float, help="Its weight, lambda.  [default: 1.0]")
@_flag(
    "--init",
    "train.init",
    metavar="NAME|RUN|FILE",
    help="Begin with trained weights. A student: a released NAME, a converted RUN or a .tflite; "
    "the teacher: a RUN, or `teacher` for the shipped one.  [default: random weights]",
)
@_flag(
    "--steps",
    "train.steps",
    type=int,
    help="Float training steps; fewer on the demo corpus.  [default: 15000]",
)
@_flag("--seed", "train.seed", type=int, help="Of weights, mixtures and order.  [default: 0]")
@_flag(
    "--deterministic",
    "train.deterministic",
    is_flag=True,
    default=None,
    help="Bit-identical repetition, at some cost in speed.",
)
@click.option(
    "--config",
    "config_files",
    multiple=True,
    metavar="TOML",
    help="Configuration file; repeatable.",
)
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Any key, such as train.batch=16."
)
@click.option("--runs", default=RUNS, metavar="DIR", help="Where the run directory is made.")
@click.option("--resume", metavar="RUN", help="Continue an interrupted run to the same result.")
@click.option(
    "--threads",
    type=click.IntRange(0),
    help="CPU threads; 0: all cores.  [default: 0; with --resume, those that the run began with]",
)
@click.option(
    "--strategy",
    type=click.Choice(["mirrored", "multiworker"]),
    help="Spread each batch over all GPUs, or over the workers of TF_CONFIG.",
)
@click.option("--tensorboard", is_flag=True, help="Write TensorBoard logs into the run directory.")
@click.option("--dry-run", is_flag=True, help="Print configuration and costs, then stop.")
@json_option
def train(
    what: str | None,
    student: str | None,
    config_files: tuple[str, ...],
    settings: tuple[str, ...],
    runs: str,
    resume: str | None,
    threads: int | None,
    strategy: str | None,
    tensorboard: bool,
    dry_run: bool,
    as_json: bool,
    **flags: Any,
) -> None:
    """Train the teacher, or a student that a teacher guides.

    The student is then fine-tuned to int8, guided in the same way.

    Flags override --set, which overrides --config, which overrides the preset. The run
    directory is printed.

    \b
    Example:
      tfkd train teacher --speech speech/ --noise noise/
      tfkd train --student tiny
      tfkd train --student tiny --init tiny --noise mine/ --speech speech/ --steps 3000
      tfkd train --student tiny --teacher runs/latest --set train.learning_rate=3e-3
      tfkd train --resume runs/latest
    """
    from tfkd.config_file import dump_config, load_config
    from tfkd.data.sources import check_folders, check_sources

    given = {key.replace("__", "."): value for key, value in flags.items() if value is not None}
    if what and student:
        raise click.UsageError("train either the teacher or --student NAME, not both.")
    if resume:
        if dry_run or what or student or given or config_files or settings:
            raise click.UsageError("--resume continues a run as it was configured; drop the rest.")
        from tfkd.train.run_directory import RunDirectory

        run = RunDirectory.open(resume)
        run.check_recordings()
        began = run.threads()
        if threads not in (None, began):
            click.echo(
                f"The run began with --threads {began}: with {threads}, it will not come to the "
                f"same weights bit for bit.",
                err=True,
            )
        _train(run, False, began if threads is None else threads, strategy, tensorboard, as_json)
        return
    if not (what or student or config_files):
        raise click.UsageError("say what to train: `teacher`, --student NAME, or --config TOML.")
    tables: list[str | Path] = list(config_files)
    config = load_config(what or student, tables, settings, given)
    is_demo = not check_sources(config.data)
    if is_demo:
        tables = [DEMO_TRAINING, *tables]
    begun = _initial_model(config, what == TEACHER, strategy)
    if begun:
        config = load_config(what or student, tables, settings, given, begun.frontend)
        config = begun.named_in(config)
    elif is_demo:
        config = load_config(what or student, tables, settings, given)
    if is_demo:
        click.echo(
            f"No recordings are given: the demo corpus is used, for {config.train.steps:,} + "
            f"{config.quantize.steps:,} steps.",
            err=True,
        )
    from tfkd.distill import configured_loss

    loss = configured_loss(config.distill)  # what is refused is refused before anything is written
    if dry_run:
        from tfkd.cli.budget_table import budget_summary, print_budget

        if as_json:
            resolved = {"config": config.model_dump(mode="json")}
            print_json("train-dry-run", {**resolved, "budget": budget_summary(config.model)})
        else:
            click.echo(dump_config(config), nl=False)
            print_budget(config.model)
        return
    from tfkd.models.teacher import find_teacher
    from tfkd.train.run_directory import RunDirectory

    check_folders(config.data)
    if not what and loss.uses_teacher and config.distill.teacher:
        find_teacher(config.distill.teacher)
    kind = TEACHER if what else "student"
    threads = threads or 0
    run = RunDirectory.create(runs, config, kind, begun.weights if begun else None, threads)
    _train(run, True, threads, strategy, tensorboard, as_json)


def _initial_model(config: Config, of_teacher: bool, strategy: str | None) -> InitialModel | None:
    """What the training begins with; None: random weights.

    Raises:
        ModelError: there is no such model.
    """
    from tfkd.cli.initial_model import initial_student, initial_teacher

    if config.train.init is None:
        return None
    if strategy == "multiworker":
        raise click.UsageError("workers begin with random weights: drop --init, or the strategy.")
    return (initial_teacher if of_teacher else initial_student)(config.train.init)


def _train(
    run: RunDirectory,
    is_new: bool,
    threads: int,
    strategy: str | None,
    tensorboard: bool,
    as_json: bool,
) -> None:
    """Train into a run directory, from its last checkpoint if it has one; print its path.

    A new run that comes to nothing is removed; one that is resumed may hold weights.
    """
    import tensorflow as tf

    from tfkd.train.run_directory import resume_command
    from tfkd.train.session import prepare, train_student, train_teacher
    from tfkd.train.strategy import make_strategy

    with _logging(run):
        prepare(run.config, threads)
        try:
            train_run = train_teacher if run.kind == TEACHER else train_student
            train_run(run, strategy=make_strategy(strategy), tensorboard=tensorboard)
        except tf.errors.ResourceExhaustedError as error:
            raise RunError(
                f"{run.path}: disk or memory is exhausted ({_reason(error)}). Free "
                f"some, then continue with: {resume_command(run.path)}"
            ) from error
        except tf.errors.OpError as error:
            raise RunError(
                f"{run.path}: TensorFlow stopped ({_reason(error)}). If a recording "
                f"was damaged or removed, `tfkd data check` finds it; then continue with: "
                f"{resume_command(run.path)}"
            ) from error
        except TfkdError:
            if is_new and not run.checkpoints("float").exists():
                run.discard()
            raise
        except KeyboardInterrupt:
            click.echo(f"\nContinue with: {resume_command(run.path)}", err=True)
            raise
    if as_json:
        print_json("train", {"run": str(run.path), "kind": run.kind})
    else:
        click.echo(run.path)


# Lines of a TensorFlow error that tell where in a graph it was met; what stands around the others.
_PLACE = re.compile(r'Graph execution error|Detected at node|Node: |File "|<stack|\d+ root error')
_AROUND = re.compile(
    r"^\(\d+\) |^Error in user-defined function .* with iterator: [\w:]+: |\s*\[(\[|Op:).*"
)


def _reason(error: tf.errors.OpError) -> str:
    """The line of a TensorFlow error that says what happened; all of it goes to train.log."""
    logging.getLogger("tfkd.train").debug("%s", error.message)
    lines = [_AROUND.sub("", line.strip()) for line in error.message.splitlines()]
    told = [line for line in lines if line and not _PLACE.match(line)]
    return told[0] if told else type(error).__name__


@contextlib.contextmanager
def _logging(run: RunDirectory) -> Iterator[None]:
    """Send the library's log to stderr and to train.log while a run trains."""
    logger = logging.getLogger("tfkd")
    handlers: list[logging.Handler] = [
        logging.StreamHandler(),
        logging.FileHandler(run.path / "train.log"),
    ]
    for handler in handlers:
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
        logger.addHandler(handler)
    handlers[0].setLevel(logging.INFO)
    logger.setLevel(logging.DEBUG)
    logger.propagate = False  # TensorFlow gives the root logger a handler that repeats each line
    logger.info("run directory: %s", run.path)
    try:
        yield
    finally:
        logger.propagate = True
        for handler in handlers:
            logger.removeHandler(handler)
            handler.close()
