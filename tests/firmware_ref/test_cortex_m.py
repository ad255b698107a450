"""Exported C on emulated Cortex-M4 and M55: the same bits, and bounds on code and instructions."""

from __future__ import annotations

import functools
import math
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
# Instructions per MAC, per output of a convolution (bias, rounding, storing) and per step: a least
# squares fit to five students of 32,000 to 508,000 MACs, each within 1.3 % of it, and 2 % more.
LARGEST_STEP = {
    ("cortex-m0plus", False): (6.40, 106.0, 30_400),
    ("cortex-m4", False): (3.12, 31.0, 17_600),
    ("cortex-m4", True): (0.684, 23.3, 19_800),
    ("cortex-m55", False): (2.98, 31.4, 17_000),
    ("cortex-m55", True): (0.393, 20.0, 16_100),
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
    outputs: int


@functools.cache
def stream_of(name: str) -> Stream:
    content = content_of(name)
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    masks, _ = reference(content, model, frames_q)
    graph = model.subgraphs[0]
    convolutions = [op for op in graph.operators if "CONV_2D" in op.name]
    outputs = sum(math.prod(graph.tensors[op.outputs[0]].shape) for op in convolutions)
    return Stream(export_c(model).files, frames_q, masks, model_macs(model), outputs)


@pytest.mark.qemu
@needs_toolchain
@pytest.mark.parametrize("name", EXPORTED)
@pytest.mark.parametrize(("core", "simd"), LARGEST_STEP)
def test_step_computes_the_bits_of_firmware_ref_within_bounds(core, simd, name):
    stream = stream_of(name)
    run = measure_step(stream.files, CORES[core], stream.frames_q, simd=simd)
    assert np.array_equal(run.output, stream.masks_q)
    assert run.sizes.code_bytes <= LARGEST_CODE_BYTES
    assert run.stack_bytes <= LARGEST_STACK_BYTES
    assert run.instructions_max <= 1.01 * run.instructions_mean  # data do not matter
    if name != SYNTHETIC:  # of another kind than the students of the fit
        per_mac, per_output, per_step = LARGEST_STEP[core, simd]
        largest = per_mac * stream.macs + per_output * stream.outputs + per_step
        assert run.instructions_mean <= largest


ODD_MODELS = {
    "factors of 1/2 and more": rounding_models.convolution,
    "the same behind a ReLU": rounding_models.rectified,
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
