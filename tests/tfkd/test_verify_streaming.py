"""Streaming against offline: float to rounding, int8 exactly; a wrong state shows."""

import numpy as np
import pytest
from small_dae import FRAMES, SMALL_DAE, features

from tfkd import verify_streaming
from tfkd.engines.firmware_ref import FirmwareRefEngine
from tfkd.errors import VerificationError
from tfkd.verify_streaming import StreamingComparison, float_difference, int8_difference


def inputs(seed):
    return features(FRAMES, seed=seed)[0, ..., 0]


def test_both_agree(deployed, quantized):
    assert float_difference(deployed, inputs(1)) < 1e-5
    for seed in range(3):
        assert int8_difference(quantized, SMALL_DAE, inputs(seed)) == 0.0


def test_forgotten_states_show(quantized, monkeypatch):
    def forgetful(engine, frames_q):
        masks_q = []
        for frame_q in frames_q:
            engine.reset()
            masks_q.append(run_q(engine, frame_q[np.newaxis])[0])
        return np.stack(masks_q)

    run_q = FirmwareRefEngine.run_q
    monkeypatch.setattr(verify_streaming.FirmwareRefEngine, "run_q", forgetful)
    difference = int8_difference(quantized, SMALL_DAE, inputs(1))
    assert difference >= 1 / 256
    with pytest.raises(VerificationError, match="the int8 model streams differently"):
        StreamingComparison(FRAMES, 0.0, difference).check()


def test_float_beyond_its_tolerance():
    with pytest.raises(VerificationError, match="the float model streams differently"):
        StreamingComparison(FRAMES, 2e-5, 0.0).check()
