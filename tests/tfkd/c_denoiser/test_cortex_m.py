"""The whole exported denoiser on emulated cores: every sample of the desktop, and its cost."""

from __future__ import annotations

import os
import subprocess
import wave
from pathlib import Path

import numpy as np
import pytest
from compiled_c import needs_compiler
from denoiser_program import Int16, gate_with, loud_and_quiet

import firmware_ref
from firmware_ref.cortex_m import CORES, measure_hop, missing_tools
from firmware_ref.errors import ToolchainError
from tfkd.c_denoiser import CSources, c_sources
from tfkd.c_denoiser.library import CDenoiser
from tfkd.released import released_folders

HOPS = 40
LARGEST_STACK_BYTES = 4096
# By the upper end of the band, 1.6 cycles an instruction, 53 % of a hop at 64 MHz.
LARGEST_TINY_HOP = 340_000
EXAMPLE = Path(firmware_ref.__file__).parent / "examples" / "cortex_m"

pytestmark = [
    pytest.mark.qemu,
    needs_compiler,
    pytest.mark.skipif(
        bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"
    ),
]


def aligned(sources: CSources, samples: Int16) -> Int16:
    """The host's output without the hop by which it lags."""
    hop = sources.frontend.hop
    missing = -len(samples) % hop + hop
    output = CDenoiser(sources).process(np.concatenate([samples, np.zeros(missing, np.int16)]))
    return output[hop:][: len(samples)]


@pytest.mark.parametrize("core", CORES)
@pytest.mark.parametrize("name", sorted(released_folders()))
def test_every_sample_is_the_desktops(name, core):
    sources = c_sources(released_folders()[name] / "model.tflite")
    samples = loud_and_quiet(HOPS, sources.frontend.hop)[:-100]  # ends within a hop
    run = measure_hop(sources.files, CORES[core], samples, sources.frontend.sample_rate)
    assert np.array_equal(run.output, aligned(sources, samples))
    assert run.sizes.ram_bytes == sources.work_bytes
    assert run.stack_bytes <= LARGEST_STACK_BYTES
    if (name, core) == ("tiny", "cortex-m4"):  # data matter little: searches, saturation
        assert run.instructions_max <= LARGEST_TINY_HOP


def test_another_sample_rate_is_refused(gate):
    sources = c_sources(gate)
    with pytest.raises(ToolchainError, match=r"in\.wav has another sample rate than the model"):
        measure_hop(sources.files, CORES["cortex-m4"], np.zeros(512, np.int16), 8000)


def test_makefile_denoises_a_file(gate, tmp_path):
    sources = c_sources(gate)
    sources.write(tmp_path / "denoiser")
    samples = loud_and_quiet(HOPS, sources.frontend.hop)
    with wave.open(str(tmp_path / "noisy.wav"), "wb") as file:
        file.setparams((1, 2, sources.frontend.sample_rate, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    assert "denoise_wav.elf" in make(tmp_path, "size")
    np.testing.assert_array_equal(denoised_by_make(tmp_path), aligned(sources, samples))
    # Another model in another folder, and then in the same one: what was built does not stay.
    other = c_sources(gate_with(tmp_path, bands=16))
    other.write(tmp_path / "other")
    np.testing.assert_array_equal(denoised_by_make(tmp_path, C="other"), aligned(other, samples))
    sources.write(tmp_path / "other")
    np.testing.assert_array_equal(denoised_by_make(tmp_path, C="other"), aligned(sources, samples))


def make(folder, goal, **words):
    words = {"C": "denoiser", "BUILD": "build", "IN": "noisy.wav", "OUT": "clean.wav"} | words
    done = subprocess.run(
        ["make", "-f", str(EXAMPLE / "Makefile"), *(f"{k}={v}" for k, v in words.items()), goal],
        cwd=folder,
        env={k: v for k, v in os.environ.items() if not k.startswith("MAKE")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def denoised_by_make(folder, **words):
    make(folder, "run", **words)
    with wave.open(str(folder / "clean.wav"), "rb") as file:
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")
