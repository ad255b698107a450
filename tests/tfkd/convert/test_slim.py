"""A slimmed model computes the same, on TFLite and on TFLite Micro."""

import numpy as np
import pytest
import tensorflow as tf
from small_dae import SMALL_DAE, features, random_dae

from firmware_ref.reader import read_model
from tfkd.convert.checks import check_fully_int8
from tfkd.convert.slim import slim_tflite
from tfkd.convert.tflite import convert_streaming
from tfkd.models.folding import fold_batch_norm
from tfkd.quantize import calibrate, quantization_aware
from tfkd.streaming import streaming_step

FRAMES = 24


@pytest.fixture(scope="module")
def step():
    trained = random_dae()
    deployed = fold_batch_norm(trained, SMALL_DAE, FRAMES)
    ranges = calibrate(deployed, [tf.constant(features(FRAMES, 4))])
    return streaming_step(quantization_aware(deployed, ranges))


@pytest.fixture(scope="module")
def converted(step):
    return convert_streaming(step)


def run_tflite(content, frames_q):
    """Masks and last states of BUILTIN_REF, from states at their zero points."""
    interpreter = tf.lite.Interpreter(
        model_content=content,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    interpreter.allocate_tensors()
    inputs, outputs = interpreter.get_input_details(), interpreter.get_output_details()
    states = [np.full(d["shape"], d["quantization"][1], np.int8) for d in inputs[1:]]
    masks = []
    for frame in frames_q:
        for detail, value in zip(inputs, [frame, *states], strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        mask, *states = [interpreter.get_tensor(detail["index"]) for detail in outputs]
        masks.append(mask)
    return np.stack(masks), states


def test_slim_model_is_smaller_and_computes_the_same(converted):
    slim = slim_tflite(converted, {"note": b"kept"})
    assert len(slim) < 0.85 * len(converted)
    rng = np.random.default_rng(0)
    frames_q = rng.integers(-128, 128, (50, 1, 1, 16, 1)).astype(np.int8)
    masks, states = run_tflite(converted, frames_q)
    slim_masks, slim_states = run_tflite(slim, frames_q)
    assert masks.std() > 0
    np.testing.assert_array_equal(slim_masks, masks)
    for state, slim_state in zip(states, slim_states, strict=True):
        np.testing.assert_array_equal(slim_state, state)
    model = read_model(slim)
    assert model.metadata == {"note": b"kept"}
    check_fully_int8(model)


def test_slimming_twice_finds_nothing_more(converted):
    once = slim_tflite(converted, {"note": b"kept"})
    # Tables are written in another order, which moves a few bytes of alignment.
    assert abs(len(slim_tflite(once, {"note": b"kept"})) - len(once)) <= 64


def test_fixed_ranges_have_power_of_two_scales(converted):
    graph = read_model(converted).subgraphs[0]
    frame = graph.tensors[graph.inputs[0]]
    logistic = next(operator for operator in graph.operators if operator.name == "LOGISTIC")
    logits = graph.tensors[logistic.inputs[0]]
    assert (float(frame.scale), frame.zero_point) == (2.0**-7, 0)
    assert (float(logits.scale), logits.zero_point) == (2.0**-4, 0)


def test_int8_follows_the_fake_quantised_graph(step, converted):
    """Both round after every layer, the integers once more inside: far closer than to float."""
    x = features(FRAMES, seed=5)[0, ..., 0]
    expected = step.run(x).numpy()
    frames_q = np.clip(np.floor(x * 128 + 0.5), -128, 127).astype(np.int8)
    masks, _ = run_tflite(converted, frames_q.reshape(FRAMES, 1, 1, 16, 1))
    got = (masks.reshape(FRAMES, 16).astype(np.float32) + 128) / 256
    snr_db = 10 * np.log10(np.mean(expected**2) / np.mean((got - expected) ** 2))
    assert snr_db > 27
