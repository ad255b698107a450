"""Exported C on emulated Cortex-M4 and M55: the same bits, and bounds on code and instructions."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np
import pytest
import rounding_models
from exported_models import EXPORTED, SYNTHETIC, Int8, content_of, frames_of, reference
from random_streams import random_stream

from firmware_ref import cortex_m, read_model
from firmware_ref.c_export import export_c
from firmware_ref.cortex_m import CORES, build, emulate, measure_step
from firmware_ref.errors import ToolchainError
from firmware_ref.macs import model_macs

FRAMES = 50
LARGEST_CODE_BYTES = 12 * 1024
LARGEST_STACK_BYTES = 1024
# Instructions per MAC. Where layers are narrow, rounding the outputs counts for more: micro has 17
# MACs per output of a convolution, tiny 24, small 36. One layer of tiny has a factor of 1/2 or
# more, which takes several times as many.
LARGEST_PER_MAC = {
    ("cortex-m0plus", False): {"default": 13.5, "tiny": 11.6, "small": 9.3},
    ("cortex-m4", False): {"default": 5.5, "tiny": 5.0, "small": 4.0},
    ("cortex-m4", True): {"default": 2.7, "tiny": 2.3, "small": 1.4},
    ("cortex-m55", False): {"default": 5.5, "tiny": 4.9, "small": 4.2},
    ("cortex-m55", True): {"default": 2.1, "tiny": 1.9, "small": 1.0},
}

missing = cortex_m.missing_tools()
needs_toolchain = pytest.mark.skipif(bool(missing), reason=f"not installed: {', '.join(missing)}")


@dataclass(frozen=True)
class Stream:
    """A model's exported files, frames, and the masks that firmware_ref computes for them."""

    files: dict[str, str]
    frames_q: Int8
    masks_q: Int8
    macs: int


@functools.cache
def stream_of(name: str) -> Stream:
    content = content_of(name)
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    masks, _ = reference(content, model, frames_q)
    return Stream(export_c(model).files, frames_q, masks, model_macs(model))


@pytest.mark.qemu
@needs_toolchain
@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize(("core", "simd"), LARGEST_PER_MAC)
def test_step_computes_the_bits_of_firmware_ref_within_bounds(core, simd, name):
    stream = stream_of(name)
    run = measure_step(stream.files, CORES[core], stream.frames_q, simd=simd)
    assert np.array_equal(run.output, stream.masks_q)
    assert run.sizes.code_bytes <= LARGEST_CODE_BYTES
    assert run.stack_bytes <= LARGEST_STACK_BYTES
    assert run.instructions_max <= 1.01 * run.instructions_mean  # data do not matter
    if name != SYNTHETIC:  # too small to speak of instructions per MAC
        bounds = LARGEST_PER_MAC[core, simd]
        assert run.instructions_mean <= bounds.get(name, bounds["default"]) * stream.macs


ODD_MODELS = {
    "factors of 1/2 and more": rounding_models.convolution,
    "sums of many scales": rounding_models.additions,
    **{f"random stream {seed}": functools.partial(random_stream, seed) for seed in (14, 39)},
}


@pytest.mark.qemu
@needs_toolchain
@pytest.mark.parametrize("name", ODD_MODELS)
@pytest.mark.parametrize("core", CORES)
def test_simd_computes_the_bits_of_firmware_ref_at_odd_sizes(core, name):
    content = ODD_MODELS[name]()
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    run = measure_step(export_c(model).files, CORES[core], frames_q)
    assert np.array_equal(run.output, reference(content, model, frames_q)[0])


@pytest.mark.qemu
@needs_toolchain
def test_counts_are_the_same_in_every_run(tmp_path):
    stream = stream_of(SYNTHETIC)
    firmware = build(stream.files, tmp_path, CORES["cortex-m4"])
    (tmp_path / "frames.bin").write_bytes(stream.frames_q.tobytes())
    first = emulate(firmware)
    assert first["frames"] == FRAMES
    assert emulate(firmware) == first


@pytest.mark.qemu
@needs_toolchain
def test_a_failing_program_is_an_error_with_its_own_words(tmp_path):
    firmware = build(stream_of(SYNTHETIC).files, tmp_path, CORES["cortex-m4"])
    with pytest.raises(ToolchainError, match=r"ended with status 1:\ncannot open frames\.bin"):
        emulate(firmware)


@pytest.mark.qemu
@needs_toolchain
def test_warnings_of_the_compiler_are_errors(tmp_path):
    with pytest.raises(ToolchainError, match=r"Werror=float-conversion"):
        build({"model.c": "int half(void) { return 0.5f; }"}, tmp_path, CORES["cortex-m4"])


def test_a_missing_compiler_is_an_error_that_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        ToolchainError, match=r"arm-none-eabi-gcc is not installed. Install gcc-arm"
    ):
        build({}, tmp_path, CORES["cortex-m4"])
