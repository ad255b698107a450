"""The exported denoiser as a program that turns samples on stdin into samples on stdout."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from compiled_c import STRICT, checks
from gate_model import FLOOR_DB, gate_model
from numpy.typing import NDArray

from tfkd.engines.engine import Engine
from tfkd.enhance import Enhancer
from tfkd.frontend import to_int16

Int16 = NDArray[np.int16]

MAIN = """
#include <stdio.h>

#include "denoiser.h"

int main(void)
{
    static tfkd_denoiser denoiser;
    static int16_t samples[TFKD_HOP];
    tfkd_denoiser_reset(&denoiser);
    while (fread(samples, sizeof samples, 1, stdin) == 1) {
        tfkd_denoise_hop(&denoiser, samples, samples);
        fwrite(samples, sizeof samples, 1, stdout);
    }
    return 0;
}
"""


def gate_with(tmp_path: Path, **frontend: Any) -> Path:
    """A gate whose metadata names another front end."""
    metadata = {"schema": 1, "name": "gate", "version": "0"}
    metadata["frontend"] = {"floor_db": FLOOR_DB} | frontend
    path = tmp_path / "model.tflite"
    path.write_bytes(gate_model(frontend.get("bands", 64), metadata=metadata))
    return path


def compile_program(
    files: Mapping[str, str],
    folder: Path,
    compiler: str,
    options: tuple[str, ...] | None = None,
    language: tuple[str, ...] = STRICT,
    main: str = MAIN,
) -> subprocess.CompletedProcess[str]:
    """Compile all files and a main program to folder/program; by default with sanitizers."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**files, "main.c": main}.items():
        (folder / name).write_text(text, encoding="utf-8")
    sources = sorted(path.name for path in folder.glob("*.c"))
    options = checks(compiler) if options is None else options
    return subprocess.run(
        [compiler, *language, *sources, *options, "-o", "program"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
    )


def run_program(folder: Path, samples: Int16) -> Int16:
    """Whole hops through folder/program."""
    done = subprocess.run(
        [folder / "program"], input=samples.tobytes(), capture_output=True, timeout=120
    )
    assert done.returncode == 0, done.stderr.decode()
    return np.frombuffer(done.stdout, np.int16)


def desktop(engine: Engine, samples: Int16) -> Int16:
    """The same through `Enhancer`."""
    return to_int16(Enhancer(engine).process(samples.astype(np.float32) / 32768))


def loud_and_quiet(hops: int, hop: int, seed: int = 0) -> Int16:
    """Digital silence, tones in noise from -96 dB to clipping, and full-scale squares."""
    rng = np.random.default_rng(seed)
    count = hops * hop
    time = np.arange(count)
    level = 10.0 ** (np.linspace(-96, 6, count) / 20)
    tones = np.sin(0.03 * time) + np.sin(0.3 * time * (1 + time / count)) + np.sin(2.5 * time)
    signal = 32768 * level * (0.3 * tones + 0.2 * rng.standard_normal(count))
    signal[: 4 * hop] = 0
    signal[-6 * hop : -3 * hop] = 40000 * np.sign(np.sin(0.05 * time[: 3 * hop]))
    return np.clip(np.round(signal), -32768, 32767).astype(np.int16)
