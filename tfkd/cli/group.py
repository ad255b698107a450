"""The root command: finds commands lazily and turns every outcome into a message and an exit code.

Exit codes: 0 done, 1 error, 2 wrong usage, 3 a check failed, 130 interrupted.
"""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, NoReturn

import click

from tfkd import __version__
from tfkd.errors import TfkdError

CONTEXT = {"help_option_names": ["-h", "--help"], "show_default": True, "max_content_width": 100}
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130

_COMMANDS = (  # each is the attribute of the same name in tfkd/cli/NAME.py
    "train",
    "convert",
    "verify",
    "evaluate",
    "experiment",
    "report",
    "denoise",
    "live",
    "info",
    "students",
    "data",
    "config",
    "doctor",
)
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class LazyGroup(click.Group):
    """Imports a command's module when it is needed; errors become messages, not tracebacks."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"tfkd.cli.{cmd_name}"), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        _refuse_empty(args)
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:  # it knows no names: ours are not loaded
            raise click.NoSuchCommand(
                error.command_name, possibilities=_COMMANDS, ctx=ctx
            ) from None

    def main(  # type: ignore[override]
        self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any
    ) -> NoReturn:
        extra["standalone_mode"] = False
        run = super().main
        sys.exit(_exit_code(lambda: run(args, prog_name or "tfkd", **extra)))


def _refuse_empty(words: Sequence[str]) -> None:
    """What an unset variable of the shell leaves behind would mean this folder, or a default.

    Raises:
        click.UsageError: a word is empty, or an option is set to nothing.
    """
    for before, word in zip(("tfkd", *words), words, strict=False):
        option = word.removesuffix("=") if word.startswith("--") and word.endswith("=") else None
        if option or not word:
            raise click.UsageError(
                f"what follows {option or before} is empty, as an unset variable of the shell is."
            )


def _exit_code(command: Callable[[], Any]) -> int:
    """Run a command; report what it raises on stderr."""
    try:
        result = command()
    except SystemExit:  # so ends shell completion, which must not wait for the import below
        raise
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        return _report("interrupted", EXIT_INTERRUPTED)
    except TfkdError as error:
        return _report(f"Error: {error}", error.exit_code)
    except _firmware_ref_errors().TargetError as error:  # of --target, as any other wrong value
        return _report(f"Error: {error}", EXIT_USAGE)
    except _firmware_ref_errors().FirmwareRefError as error:
        return _report(f"Error: {error}", EXIT_ERROR)
    except BrokenPipeError:
        # The reader of our stdout has left (as in `| head`); keep Python from complaining at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_ERROR
    except OSError as error:
        if error.errno not in _DISK_FULL and error.filename is None:
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _report(f"Error: {where}{error.strerror or error}.", EXIT_ERROR)
    return result if isinstance(result, int) else 0


def _firmware_ref_errors() -> ModuleType:
    """firmware_ref's errors, imported only when something was raised."""
    return import_module("firmware_ref.errors")


def _report(message: str, exit_code: int) -> int:
    click.echo(message, err=True)
    return exit_code


@click.group("tfkd", cls=LazyGroup, context_settings=CONTEXT)
@click.version_option(__version__, "--version", prog_name="tfkd")
def main() -> None:
    """Train, quantise and prove speech denoisers for TensorFlow Lite Micro.

    \b
    Example:
      tfkd train --student tiny
      tfkd convert --tflite-micro
      tfkd denoise noisy.wav -o clean.wav
    """
    # An explicit setting of the user wins. The first silences TensorFlow's start-up chatter, the
    # second takes oneDNN's kernels, which train faster, also where TensorFlow would not (AMD).
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
