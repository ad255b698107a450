"""C sources to functions that Python calls, by the compiler of this machine."""

from __future__ import annotations

import ctypes
import os
import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from tfkd.errors import MissingPackageError, ModelError

OPTIONS = ("-std=c99", "-O2", "-fPIC", "-shared")
COMPILE_TIMEOUT_S = 300


def find_compiler() -> list[str] | None:
    """The C compiler's command: what CC says, such as "ccache gcc", else cc, gcc or clang."""
    named = os.environ.get("CC", "").split()
    for program, *options in [named] if named else [["cc"], ["gcc"], ["clang"]]:
        if path := shutil.which(program):
            return [path, *options]
    return None


def host_library(files: Mapping[str, str]) -> ctypes.PyDLL:
    """Compile C files, name -> text, into a library that is loaded into this process.

    It is built in a temporary folder and leaves no file. Calls keep Python's lock, for the exported
    code shares one work buffer between streams.

    Raises:
        MissingPackageError: there is no C compiler.
        ModelError: the compiler refuses the code; its message is quoted. Or it does not end. Or the
            temporary folder cannot be written to, or may hold no programs.
    """
    compiler = find_compiler()
    if compiler is None:
        raise MissingPackageError(
            "C code cannot be run: there is no C compiler. Expected cc, gcc or clang in the PATH, "
            "or another one's command in CC. Install one (on Debian: apt-get install gcc "
            "libc6-dev), or use the engine firmware-ref, which computes the same bits."
        )
    try:
        return _compiled(compiler, files)
    except OSError as error:
        raise ModelError(
            f"the exported C code cannot be compiled and loaded: {error}. Name a folder that can "
            f"be written to and may hold programs in TMPDIR, or use the engine firmware-ref, which "
            f"computes the same bits."
        ) from error


def _compiled(compiler: list[str], files: Mapping[str, str]) -> ctypes.PyDLL:
    with TemporaryDirectory(prefix="tfkd-") as folder:
        for name, text in files.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        sources = sorted(name for name in files if name.endswith(".c"))
        try:
            done = subprocess.run(
                [*compiler, *OPTIONS, *sources, "-o", "denoiser.so"],
                cwd=folder,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=COMPILE_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise ModelError(
                f"{shlex.join(compiler)} took more than {COMPILE_TIMEOUT_S} s for the exported C "
                f"code. Name another compiler in CC, or use the engine firmware-ref, which "
                f"computes the same bits."
            ) from error
        if done.returncode != 0:
            lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            reason = next((line for line in lines if "error:" in line), lines[0])
            raise ModelError(f"{shlex.join(compiler)} refuses the exported C code: {reason}")
        return ctypes.PyDLL(str(Path(folder) / "denoiser.so"))
