"""Generated C as a program that turns frames on stdin into masks on stdout, under sanitizers."""

from __future__ import annotations

import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from numpy.typing import NDArray

from firmware_ref.c_export import CSource

COMPILERS = [name for name in ("gcc", "clang", "cc") if shutil.which(name)]
STRICT = ("-std=c99", "-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SANITIZERS = ("-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
SOURCES = ("model.c", "weights.c", "kernels.c", "convolutions.c")

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


@lru_cache(maxsize=4)
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
    program = folder / "stream"
    command = [compiler, *STRICT, *options, *SOURCES, "main.c", "-o", str(program)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return program


def run_frames(program: Path, frames_q: Int8) -> Int8:
    """Frames [n, ...] to masks [n, values]."""
    done = subprocess.run([program], input=frames_q.tobytes(), capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, np.int8).reshape(len(frames_q), -1)
