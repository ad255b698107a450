import numpy as np
import pytest
from gate_model import FRAME_SCALE, gate_model
from hypothesis import given
from hypothesis import strategies as st

from tfkd.engines.streaming_model import Affine, read_streaming_model
from tfkd.errors import ModelError


def test_contract_is_read(gate):
    model = read_streaming_model(gate)
    assert model.name == "gate"
    assert model.frontend.bands == 64
    assert model.frame == Affine(float(np.float32(FRAME_SCALE)), 0)
    assert model.mask == Affine(1 / 256, -128)
    assert model.state_shapes == ((1, 2, 64, 1),)
    assert [state.tolist() for state in model.initial_states_q()] == [
        np.zeros((1, 2, 64, 1)).tolist()
    ]


def test_initial_state_is_the_zero_point(gate):
    from dataclasses import replace

    model = replace(read_streaming_model(gate), state_zero_points=(7,))
    assert (model.initial_states_q()[0] == 7).all()


@given(
    scale=st.floats(2.0**-20, 10, width=32),
    zero_point=st.integers(-128, 127),
    values=st.lists(st.integers(-128, 127), min_size=1),
)
def test_dequantised_values_quantise_back(scale, zero_point, values):
    affine = Affine(scale, zero_point)
    values_q = np.array(values, np.int8)
    np.testing.assert_array_equal(affine.quantize(affine.dequantize(values_q)), values_q)


def test_quantisation_by_hand():
    # Half a step goes up, as floor(x + 0.5) has it; values beyond the range saturate.
    affine = Affine(0.5, 3)
    values = np.array([0.0, 0.25, -0.25, 0.24, 1.0, 100.0, -100.0], np.float32)
    assert affine.quantize(values).tolist() == [3, 4, 3, 3, 5, 127, -128]
    assert affine.dequantize(np.array([3, 4, -128], np.int8)).tolist() == [0.0, 0.5, -65.5]


def _refused(tmp_path, content: bytes, message: str) -> None:
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=message):
        read_streaming_model(path)


def test_missing_file(tmp_path):
    with pytest.raises(ModelError, match="cannot be read"):
        read_streaming_model(tmp_path / "none.tflite")


@pytest.mark.parametrize("content", [b"", b"not a model", gate_model()[:500]])
def test_damaged_file(tmp_path, content):
    _refused(tmp_path, content, "is not a usable .tflite model")


def test_without_metadata(tmp_path):
    _refused(tmp_path, gate_model(metadata={}), "carries no 'tfkd' metadata")


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"schema": 2, "name": "x", "frontend": {}}, "metadata has schema 2, this tfkd reads 1"),
        ({"schema": 1, "name": "x"}, "metadata is damaged"),
        ({"schema": 1, "name": "x", "frontend": {"hop": -1}}, "metadata is damaged"),
        ({"schema": 1, "name": "x", "frontend": {"bands": 32}}, r"shape \(1, 1, 32, 1\)"),
    ],
)
def test_wrong_metadata(tmp_path, metadata, message):
    _refused(tmp_path, gate_model(metadata=metadata), message)


def test_state_that_changes_its_scale(tmp_path):
    _refused(tmp_path, gate_model(new_state_scale=0.5), "state 0 must come out as it goes in")
