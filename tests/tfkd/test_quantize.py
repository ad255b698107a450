"""Ranges, weights and fidelity of the quantisation-aware form."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from small_dae import FRAMES, features, quantized_dae

from tfkd.errors import ModelError
from tfkd.quantize import (
    calibrate,
    quantized_outputs,
    quantized_weight,
    round_weights,
    weight_of,
)


def test_calibrated_ranges_are_the_extremes(deployed):
    x = features(FRAMES, 2)
    ranges = calibrate(deployed, [tf.constant(x[:1]), tf.constant(x[1:])])
    for name in ("latent", "collapse", "encode0_relu"):
        values = keras.Model(deployed.inputs, deployed.get_layer(name).output)(x).numpy()
        low, high = ranges[name]
        assert low == pytest.approx(min(values.min(), 0), abs=1e-5)
        assert high == pytest.approx(values.max(), abs=1e-5)
    assert set(ranges) == set(quantized_outputs(deployed))


def test_calibration_needs_data(deployed):
    with pytest.raises(ModelError, match="at least one batch"):
        calibrate(deployed, [])


def test_every_convolution_has_fake_quantised_weights(quantized):
    convolutions = [
        layer
        for layer in quantized.layers[1:]
        if isinstance(layer.layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D))
    ]
    assert len(convolutions) > 10
    assert all(layer.quantize_config.weight for layer in convolutions)


def test_weights_lie_on_an_int8_grid_per_channel(quantized):
    for name, axes in (("quant_encode1", (0, 1, 2)), ("quant_latent_depthwise", (0, 1, 3))):
        weight = quantized_weight(quantized.get_layer(name))
        scale = np.abs(weight).max(axis=axes, keepdims=True) / 127
        steps = weight / scale
        np.testing.assert_allclose(steps, np.rint(steps), atol=1e-3)
        assert (
            np.abs(np.rint(steps)).max(axis=axes).tolist()
            == [127] * weight.shape[2 if axes[-1] == 3 else 3]
        )


def test_stays_close_to_float(deployed, quantized):
    x = features(FRAMES, 2, seed=3)
    expected = deployed(x).numpy()
    error = quantized(x, training=False).numpy() - expected
    snr_db = 10 * np.log10(np.mean(expected**2) / np.mean(error**2))
    assert snr_db > 25  # tfmot's initial ranges of +-6 give about 10 dB


def test_gradients_reach_every_weight(quantized):
    x = tf.constant(features(FRAMES))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(quantized(x, training=True) ** 2)
    gradients = tape.gradient(loss, quantized.trainable_variables)
    assert all(gradient is not None for gradient in gradients)


def test_rounded_weights_stay_on_their_grid(deployed):
    model = quantized_dae(deployed)
    kernels = [layer for layer in model.layers[1:] if layer.quantize_config.weight is not None]
    expected = [quantized_weight(layer) for layer in kernels]
    assert any(
        (weight_of(layer).numpy() != e).any() for layer, e in zip(kernels, expected, strict=True)
    )
    round_weights(model)
    for layer, kernel in zip(kernels, expected, strict=True):
        np.testing.assert_array_equal(weight_of(layer).numpy(), kernel)
        np.testing.assert_allclose(quantized_weight(layer), kernel, rtol=1e-6)
