"""Random graphs with states as C, against firmware_ref."""

from __future__ import annotations

import numpy as np
import pytest
from compiled_c import COMPILERS, compile_c, needs_compiler, run_frames
from exported_models import frames_of, reference
from random_streams import random_stream

from firmware_ref import read_model
from firmware_ref.c_export import export_c

FRAMES = 6


@needs_compiler
@pytest.mark.parametrize("seed", range(10))
def test_random_stream_computes_the_bits_of_firmware_ref(seed, tmp_path):
    content = random_stream(seed)
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    program = compile_c(export_c(model), tmp_path, COMPILERS[0])
    assert np.array_equal(run_frames(program, frames_q), reference(content, model, frames_q)[0])
