"""What a training begins with: the weights of a .tflite, in the float model they came from."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from small_dae import FRAMES, SMALL_DAE, deployed_dae, features, quantized_dae

from tfkd.config_file import load_config
from tfkd.convert.run import streaming_tflite
from tfkd.errors import ModelError
from tfkd.models.blocks import Form
from tfkd.models.dae import QUANTIZED, build_dae
from tfkd.models.int8_weights import read_int8_weights
from tfkd.models.unfolding import unfold_batch_norm
from tfkd.quantize import quantized_weight
from tfkd.released import find_tflite, released_folders
from tfkd.verify import speech_like_features

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


@pytest.fixture(scope="module")
def quantized():
    return quantized_dae(deployed_dae(FRAMES))


@pytest.fixture(scope="module")
def content(quantized):
    return streaming_tflite(quantized, SMALL_DAE)


@pytest.fixture
def read(content):
    model = build_dae(SMALL_DAE, Form.DEPLOYED, frames=FRAMES)
    read_int8_weights(model, content)
    return model


def test_weights_come_back_as_they_were_quantised(quantized, read):
    layers = [layer for layer in read.layers if isinstance(layer, CONVOLUTIONS)]
    assert len(layers) > 10
    for layer in layers:
        wrapped = quantized.get_layer(QUANTIZED + layer.name)
        kernel, bias = layer.get_weights()
        # the converter's float32 scale times q, and max |w| / 127 times q: one more rounding
        np.testing.assert_allclose(kernel, quantized_weight(wrapped), rtol=3e-7)
        assert np.abs(kernel).max() > 0
        # half a step of the input's scale, of a range below 12, times the kernel's
        half = 0.5 * 12 / 255 * np.abs(kernel).max() / 127
        np.testing.assert_allclose(bias, wrapped.layer.bias.numpy(), atol=half)


def test_the_training_form_computes_the_same_mask(read):
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(read, trained, [tf.constant(features(FRAMES, 4))])
    x = features(FRAMES, batch=2, seed=1)
    expected = read(x).numpy()
    assert expected.std() > 0.01  # a constant mask would prove nothing
    np.testing.assert_allclose(trained(x, training=False).numpy(), expected, atol=1e-5)


def test_statistics_are_those_of_the_batch_and_kernels_of_a_usual_size(read):
    batch = tf.constant(features(FRAMES, 4))
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(read, trained, [batch])
    # what a step of training sees first is what the moving statistics say
    np.testing.assert_allclose(
        trained(batch, training=True).numpy(), trained(batch, training=False).numpy(), atol=2e-3
    )
    fresh = build_dae(SMALL_DAE)
    for layer in trained.layers:
        if isinstance(layer, CONVOLUTIONS) and layer.name != "logits":
            kernel, usual = layer.get_weights()[0], fresh.get_layer(layer.name).get_weights()[0]
            assert 0.5 < kernel.std() / usual.std() < 2, layer.name


def test_a_channel_of_zeros_stays_finite(read):
    kernel, bias = read.get_layer("encode0").get_weights()
    kernel[..., 0] = 0
    read.get_layer("encode0").set_weights([kernel, bias])
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(read, trained, [tf.constant(features(FRAMES, 4))])
    x = features(FRAMES)
    np.testing.assert_allclose(trained(x, training=False).numpy(), read(x).numpy(), atol=1e-5)


def test_unfolding_needs_a_batch(read):
    with pytest.raises(ModelError, match="at least one batch"):
        unfold_batch_norm(read, build_dae(SMALL_DAE), [])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernels": (3, 3)}, r"a kernel of shape \(1, 3, 1, 4\) in layer 'encode0'"),
        ({"dilations": (1,)}, "Expected: .* convolutions. Received"),
    ],
)
def test_another_shape_is_named(content, change, message):
    other = build_dae(SMALL_DAE.model_copy(update=change), Form.DEPLOYED, frames=FRAMES)
    before = [weight.copy() for weight in other.get_weights()]
    with pytest.raises(ModelError, match=message):
        read_int8_weights(other, content)
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_damaged_file_is_refused(content, read):
    with pytest.raises(ModelError, match="no weights to begin with"):
        read_int8_weights(read, content[:100])


@pytest.mark.oracle
@pytest.mark.parametrize("name", sorted(released_folders()))
def test_released_students_can_be_trained_on(name):
    from tfkd.engines.streaming_model import read_streaming_model
    from tfkd.engines.tflm import TflmEngine

    path = find_tflite(name)
    model = read_streaming_model(path)
    frames = 120
    x = speech_like_features(model.frontend, frames, seed=0)
    int8 = TflmEngine(model).run(x)
    deployed = build_dae(load_config(name).model, Form.DEPLOYED, frames=frames)
    read_int8_weights(deployed, path.read_bytes())
    mask = deployed(x[np.newaxis, :, :, np.newaxis]).numpy()[0, :, :, 0]
    # the same weights; activations are rounded in one of the two
    assert np.abs(mask - int8).mean() < 0.03 < int8.std()
