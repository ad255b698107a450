"""Generated C as a program that turns frames on stdin into masks on stdout, under sanitizers."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_ref.c_export import CSource

COMPILERS = [name for name in ("gcc", "clang", "cc") if shutil.which(name)]
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
MODEL_SOURCES = ("model.c", "weights.c")
KERNEL_SOURCES = ("kernels.c", "convolutions.c")  # the same for every model
KERNEL_HEADERS = ("kernels.h", "arithmetic.h", "inner_products.h")

needs_compiler = pytest.mark.skipif(not COMPILERS, reason="no C compiler (gcc, clang or cc)")

MAIN = """
#include <stdio.h>
#include "model.h"

int main(void)
{
    static tfkd_state state;
    static int8_t in[TFKD_INPUT_SIZE], out[TFKD_OUTPUT_SIZE];
    if (sizeof state != TFKD_STATE_SIZE) {
        return 1;
    }
    tfkd_reset(&state);
    while (fread(in, 1, sizeof in, stdin) == sizeof in) {
        tfkd_step(&state, in, out);
        fwrite(out, 1, sizeof out, stdout);
    }
    return 0;
}
"""

Int8 = NDArray[np.int8]


@cache
def checks(compiler: str) -> tuple[str, ...]:
    """Options that make a program stop at undefined behaviour, where the compiler has them."""
    with TemporaryDirectory() as folder:
        command = [compiler, *SANITIZERS, "-x", "c", "-", "-o", f"{folder}/none"]
        done = subprocess.run(command, input=b"int main(void) { return 0; }", capture_output=True)
    return SANITIZERS if done.returncode == 0 else ("-O1",)


def compile_c(
    source: CSource, folder: Path, compiler: str, options: tuple[str, ...] | None = None
) -> Path:
    """The program, compiled without a warning; by default with sanitizers."""
    options = checks(compiler) if options is None else options
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in source.files.items():
        (folder / name).write_text(text, encoding="utf-8")
    (folder / "main.c").write_text(MAIN, encoding="utf-8")
    kernels = {name: source.files[name] for name in (*KERNEL_SOURCES, *KERNEL_HEADERS)}
    objects = compiled_kernels(compiler, options, tuple(kernels.items()))
    program = folder / "stream"
    run_compiler(
        [compiler, *STRICT, *options, *MODEL_SOURCES, "main.c", *objects, "-o", str(program)],
        folder,
    )
    return program


@cache
def compiled_kernels(
    compiler: str, options: tuple[str, ...], kernels: tuple[tuple[str, str], ...]
) -> tuple[str, ...]:
    """Object files of the kernels, compiled once per process; they go with it."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    for name, text in kernels:
        (folder / name).write_text(text, encoding="utf-8")
    run_compiler([compiler, *STRICT, *options, "-c", *KERNEL_SOURCES], folder)
    return tuple(str(folder / name.replace(".c", ".o")) for name in KERNEL_SOURCES)


def run_compiler(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def run_frames(program: Path, frames_q: Int8) -> Int8:
    """Frames [n, ...] to masks [n, values]."""
    done = subprocess.run([program], input=frames_q.tobytes(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, np.int8).reshape(len(frames_q), -1)
