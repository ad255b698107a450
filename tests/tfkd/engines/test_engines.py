"""All int8 engines compute the same; each keeps a state that reset clears."""

import sys

import numpy as np
import pytest
from compiled_c import needs_compiler
from gate_model import gate_model

from tfkd.engines.choice import engine_factory, int8_engine
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.errors import MissingPackageError, ModelError, RunError
from tfkd.verify import speech_like_features

NAMES = [
    pytest.param("tflite", marks=pytest.mark.slow),
    pytest.param("tflm", marks=pytest.mark.oracle),
    "firmware-ref",
    pytest.param("c", marks=needs_compiler),
]


@pytest.fixture(scope="module")
def model(gate):
    return read_streaming_model(gate)


def gate_by_hand(model, features):
    """The gate's mask in floating point."""
    frames = np.concatenate(
        [np.zeros((2, 64)), model.frame.dequantize(model.frame.quantize(features))]
    )
    mean = np.stack([frames[t : t + 3].mean(axis=0) for t in range(len(features))])
    return 1 / (1 + np.exp(-12.0 * (mean - 0.1)))


@pytest.mark.parametrize("name", NAMES)
def test_mask_is_what_the_graph_says(model, name):
    features = speech_like_features(model.frontend, 120, seed=1)
    masks = int8_engine(name, model).run(features)
    assert masks.dtype == np.float32
    np.testing.assert_allclose(masks, gate_by_hand(model, features), atol=0.02)


@pytest.mark.parametrize("name", NAMES)
def test_steps_equal_a_run_and_reset_forgets(model, name):
    features = speech_like_features(model.frontend, 40, seed=2)
    engine = int8_engine(name, model)
    masks = engine.run(features)
    engine.reset()
    np.testing.assert_array_equal(np.stack([engine.step(frame) for frame in features]), masks)
    engine.reset()
    np.testing.assert_array_equal(engine.run(features[:10]), masks[:10])
    np.testing.assert_array_equal(engine.run(features[10:]), masks[10:])


@needs_compiler
@pytest.mark.oracle
@pytest.mark.slow
def test_all_engines_agree_bit_for_bit(model):
    features = speech_like_features(model.frontend, 300, seed=3)
    frames_q = model.frame.quantize(features)
    reference = int8_engine("tflm", model).run_q(frames_q)
    for name in ("tflite", "firmware-ref", "c"):
        np.testing.assert_array_equal(int8_engine(name, model).run_q(frames_q), reference)


@pytest.mark.parametrize("name", ["firmware-ref", pytest.param("c", marks=needs_compiler)])
def test_engines_of_one_factory_have_states_of_their_own(gate, name):
    features = speech_like_features(read_streaming_model(gate).frontend, 20, seed=4)
    open_engine = engine_factory(name, gate)
    first, second = open_engine(), open_engine()
    first.run(features)
    open_third = open_engine()
    np.testing.assert_array_equal(second.run(features), open_third.run(features))


def test_missing_wheel_is_named(model, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite_micro", None)
    with pytest.raises(MissingPackageError, match="tflite-micro is not installed.*firmware-ref"):
        int8_engine("tflm", model)


def test_model_that_firmware_ref_cannot_run_is_named(tmp_path):
    content = bytearray(gate_model())
    path = tmp_path / "model.tflite"
    path.write_bytes(bytes(content).replace(b"TFL3", b"TFL9"))
    with pytest.raises(ModelError, match="not a usable"):
        engine_factory("firmware-ref", path)


def test_keras_engine_asks_for_a_run_before_tensorflow_is_imported(gate, monkeypatch):
    monkeypatch.setitem(sys.modules, "tfkd.engines.keras", None)
    for reference in ("tiny", gate):
        with pytest.raises(RunError, match="is no run directory.*or choose another engine"):
            engine_factory("keras", reference)
