"""The released models as C, over 1000 frames with states, against firmware_ref and TFLM."""

from __future__ import annotations

import numpy as np
import oracle
import pytest
from compiled_c import COMPILERS, compile_c, needs_compiler, run_frames
from exported_models import (
    EXPORTED,
    RELEASED,
    content_of,
    frames_of,
    initial_states,
    reference,
)

from firmware_ref import plan_arena, read_model
from firmware_ref.c_export import export_c

FRAMES = 1000
LARGEST_SHARE = 0.7
"""RAM of the exported code over TFLM's smallest arena on a Cortex-M."""

pytestmark = needs_compiler


@pytest.mark.parametrize("name", RELEASED)
def test_computes_the_bits_of_firmware_ref(name, tmp_path):
    content = content_of(name)
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    masks, _ = reference(content, model, frames_q)
    assert len(np.unique(masks)) > 100
    program = compile_c(export_c(model), tmp_path, COMPILERS[0])
    assert np.array_equal(run_frames(program, frames_q), masks)


@pytest.mark.oracle
@pytest.mark.skipif(not oracle.AVAILABLE, reason="the tflite-micro wheel is not installed")
@pytest.mark.parametrize("name", RELEASED)
def test_computes_the_bits_of_tflm(name, tmp_path):
    content = content_of(name)
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    tflm = oracle.Oracle(content)
    states = initial_states(model)
    masks = []
    for frame_q in frames_q:
        tflm.invoke([frame_q, *states])
        mask, *states = (tflm.output(i) for i in range(len(model.subgraphs[0].outputs)))
        masks.append(mask.reshape(-1))
    program = compile_c(export_c(model), tmp_path, COMPILERS[-1], ("-O2",))
    assert np.array_equal(run_frames(program, frames_q), np.stack(masks))


@pytest.mark.parametrize("name", EXPORTED)
def test_takes_less_memory_than_tflms_arena(name):
    model = read_model(content_of(name))
    source = export_c(model)
    arena_bytes = plan_arena(model, abi="cortex-m").min_bytes
    assert source.state_bytes + source.work_bytes <= LARGEST_SHARE * arena_bytes
