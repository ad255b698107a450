"""Unfolding keeps the function, and measures the statistics that folding has dissolved."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from small_dae import FRAMES, SMALL_DAE, deployed_dae, features

from tfkd.errors import ModelError
from tfkd.models.dae import build_dae
from tfkd.models.unfolding import unfold_batch_norm

CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


@pytest.fixture
def deployed():
    return deployed_dae(FRAMES)


def test_the_training_form_computes_the_same_mask(deployed):
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(deployed, trained, [tf.constant(features(FRAMES, 4))])
    x = features(FRAMES, batch=2, seed=1)
    expected = deployed(x).numpy()
    assert expected.std() > 0.01  # a constant mask would prove nothing
    np.testing.assert_allclose(trained(x, training=False).numpy(), expected, atol=1e-5)


def test_statistics_are_those_of_the_batch_and_kernels_of_a_usual_size(deployed):
    batch = tf.constant(features(FRAMES, 4))
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(deployed, trained, [batch])
    # what a step of training sees first is what the moving statistics say
    np.testing.assert_allclose(
        trained(batch, training=True).numpy(), trained(batch, training=False).numpy(), atol=2e-3
    )
    fresh = build_dae(SMALL_DAE)
    for layer in trained.layers:
        if isinstance(layer, CONVOLUTIONS) and layer.name != "logits":
            kernel, usual = layer.get_weights()[0], fresh.get_layer(layer.name).get_weights()[0]
            assert 0.5 < kernel.std() / usual.std() < 2, layer.name


def test_a_channel_of_zeros_stays_finite(deployed):
    kernel, bias = deployed.get_layer("encode0").get_weights()
    kernel[..., 0] = 0
    deployed.get_layer("encode0").set_weights([kernel, bias])
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(deployed, trained, [tf.constant(features(FRAMES, 4))])
    x = features(FRAMES)
    np.testing.assert_allclose(trained(x, training=False).numpy(), deployed(x).numpy(), atol=1e-5)


def test_unfolding_needs_a_batch(deployed):
    with pytest.raises(ModelError, match="at least one batch"):
        unfold_batch_norm(deployed, build_dae(SMALL_DAE), [])


def test_statistics_are_those_of_all_batches_together(deployed):
    batches = [features(FRAMES, 4), 0.2 * features(FRAMES, 4, seed=1) - 0.5]
    trained = build_dae(SMALL_DAE)
    unfold_batch_norm(deployed, trained, [tf.constant(batch) for batch in batches])
    layer = deployed.get_layer("encode0")
    probe = keras.Model(deployed.inputs, layer.output)
    values = np.concatenate([probe(batch).numpy() for batch in batches]) - layer.bias.numpy()
    factor = trained.get_layer("encode0").get_weights()[0] / layer.get_weights()[0]
    factor = factor.mean(axis=(0, 1, 2))
    _, _, mean, variance = trained.get_layer("encode0_norm").get_weights()
    np.testing.assert_allclose(mean / factor, values.mean(axis=(0, 1, 2)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(variance / factor**2, values.var(axis=(0, 1, 2)), rtol=1e-4)
