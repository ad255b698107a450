"""The spectral loss against its definition."""

import numpy as np
import pytest
import tensorflow as tf

from tfkd.distill.supervised import spectral_loss


def spectra(seed):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(2, 5, 9)) + 1j * rng.normal(size=(2, 5, 9))).astype(np.complex64)


def test_equals_the_definition():
    noisy, clean = spectra(0), spectra(1)
    mask = np.random.default_rng(2).uniform(0.05, 1, (2, 5, 9)).astype(np.float32)
    level = np.sqrt(np.mean(np.abs(noisy) ** 2, axis=(1, 2), keepdims=True))
    a = (mask * np.abs(noisy) / level) ** 0.3
    b = (np.abs(clean) / level) ** 0.3
    complex_error = np.abs(a * np.exp(1j * np.angle(noisy)) - b * np.exp(1j * np.angle(clean))) ** 2
    expected = np.mean(0.7 * (a - b) ** 2 + 0.3 * complex_error, axis=(1, 2))
    got = spectral_loss(tf.constant(mask), tf.constant(noisy), tf.constant(clean)).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-3)


def test_perfect_mask_has_almost_no_loss():
    clean = spectra(0)
    loss = spectral_loss(tf.ones((2, 5, 9)), tf.constant(clean), tf.constant(clean)).numpy()
    assert loss.max() < 1e-5


def test_independent_of_level():
    noisy, clean, mask = spectra(0), spectra(1), tf.fill((2, 5, 9), 0.4)
    quiet = spectral_loss(mask, tf.constant(noisy * 1e-2), tf.constant(clean * 1e-2)).numpy()
    loud = spectral_loss(mask, tf.constant(noisy), tf.constant(clean)).numpy()
    np.testing.assert_allclose(quiet, loud, rtol=1e-3)


@pytest.mark.parametrize("noisy_level", [0.0, 1.0])
def test_silence_and_zero_masks_have_finite_gradients(noisy_level):
    mask = tf.Variable(tf.zeros((2, 5, 9)))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(
            spectral_loss(
                tf.sigmoid(mask - 200.0),
                tf.constant(spectra(0) * noisy_level),
                tf.zeros((2, 5, 9), tf.complex64),
            )
        )
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, mask).numpy()).all()
