"""Models that tfkd did not make, proved on random inputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from firmware_ref.arena.model_buffers import OFFLINE_METADATA
from firmware_ref.arena.offline_plan import write_offline_plan
from firmware_ref.errors import UnsupportedOpError
from firmware_ref.reader import read_model
from tfkd.engines import tensor_trace
from tfkd.errors import VerificationError
from tfkd.released import released_folders
from tfkd.verify import check
from tfkd.verify_foreign import compare_foreign, random_inputs

MODELS = Path(__file__).parent.parent / "firmware_ref" / "models"


@pytest.mark.oracle
@pytest.mark.parametrize(
    "name", ["cnn", "cnn_float_io", "lstm", "recurrent", "stream_16x8", "stream_variable", "unet"]
)
def test_tflm_and_firmware_ref_agree(name):
    done: list[float] = []
    (comparison,) = compare_foreign(MODELS / f"{name}.tflite", ["firmware-ref"], 20, 0, done.append)
    assert comparison.equal and comparison.frames == sum(done) == 20
    assert comparison.values > 0


@pytest.mark.oracle
def test_a_model_with_a_plan_of_its_arena(tmp_path):
    """TFLM would refuse the plan where it has to keep every tensor."""
    planned = tmp_path / "planned.tflite"
    write_offline_plan(released_folders()["micro"] / "model.tflite", planned, "cortex-m")
    assert OFFLINE_METADATA in read_model(planned).metadata
    (comparison,) = compare_foreign(planned, ["firmware-ref"], 5, 0)
    assert comparison.equal


@pytest.mark.oracle
def test_a_difference_is_named(monkeypatch):
    def faulty(model):
        trace = tensor_trace.firmware_ref_trace(model)
        return lambda inputs: {index: tensor + 1 for index, tensor in trace(inputs).items()}

    monkeypatch.setitem(tensor_trace.TRACES, "firmware-ref", faulty)
    comparisons = compare_foreign(MODELS / "cnn.tflite", ["firmware-ref"], 3, 0)
    with pytest.raises(VerificationError, match="firmware-ref differs from tflm first in frame 0"):
        check(comparisons)


def test_inputs_span_small_values_and_saturation():
    model = read_model(MODELS / "stream_16x8.tflite")
    frames = [inputs[0] for inputs in random_inputs(model, 40, 0)]
    assert {frame.dtype for frame in frames} == {np.dtype(np.int16)}
    spans = [np.abs(frame.astype(int)).max() for frame in frames]
    assert min(spans) < 200 and max(spans) > 30_000
    again = [inputs[0] for inputs in random_inputs(model, 40, 0)]
    np.testing.assert_array_equal(frames, again)


def test_what_firmware_ref_lacks_is_named_before_tflm_starts(tmp_path, monkeypatch):
    from firmware_ref.kernels import KERNELS

    monkeypatch.delitem(KERNELS, "CONV_2D")
    with pytest.raises(UnsupportedOpError, match="CONV_2D"):
        compare_foreign(MODELS / "cnn.tflite", ["firmware-ref"], 1, 0)
