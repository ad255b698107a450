"""The weights of a .tflite in the float model that they came from."""

import numpy as np
import pytest
import tf_keras as keras
from small_dae import FRAMES, SMALL_DAE, deployed_dae, quantized_dae

from tfkd.config_file import load_config
from tfkd.convert.run import streaming_tflite
from tfkd.errors import ModelError
from tfkd.models.blocks import Form
from tfkd.models.dae import QUANTIZED, build_dae
from tfkd.models.int8_weights import read_int8_weights
from tfkd.quantize import quantized_weight
from tfkd.released import find_tflite, released_folders
from tfkd.verify import speech_like_features

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


@pytest.fixture(scope="module")
def quantized():
    return quantized_dae(deployed_dae(FRAMES))


@pytest.fixture(scope="module")
def path(quantized, tmp_path_factory):
    path = tmp_path_factory.mktemp("int8") / "small.tflite"
    path.write_bytes(streaming_tflite(quantized, SMALL_DAE))
    return path


@pytest.fixture
def read(path):
    model = build_dae(SMALL_DAE, Form.DEPLOYED, frames=FRAMES)
    read_int8_weights(model, path)
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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernels": (3, 3)}, r"a kernel of shape \(1, 3, 1, 4\) in layer 'encode0'"),
        ({"dilations": (1,)}, "Expected: .* convolutions. Received"),
        ({"dilations": (1, 3)}, r"dilations \(3, 1\) in layer 'latent_depthwise'.*\(2, 1\)"),
        ({"strides": (4, 1)}, r"strides \(1, 4\) in layer 'encode0'. Received: \(1, 2\)"),
    ],
)
def test_another_shape_is_named(path, change, message):
    other = build_dae(SMALL_DAE.model_copy(update=change), Form.DEPLOYED, frames=FRAMES)
    before = [weight.copy() for weight in other.get_weights()]
    with pytest.raises(ModelError, match=message):
        read_int8_weights(other, path)
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_damaged_file_is_refused(path, read, tmp_path):
    (tmp_path / "cut.tflite").write_bytes(path.read_bytes()[:100])
    with pytest.raises(ModelError, match=r"cut\.tflite: cannot be read\."):
        read_int8_weights(read, tmp_path / "cut.tflite")


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
    read_int8_weights(deployed, path)
    mask = deployed(x[np.newaxis, :, :, np.newaxis]).numpy()[0, :, :, 0]
    # the same weights; activations are rounded in one of the two
    assert np.abs(mask - int8).mean() < 0.03 < int8.std()
