"""Spectral distance: compressed magnitude and complex spectrum of the enhanced speech."""

from __future__ import annotations

import tensorflow as tf

COMPRESSION = 0.3
COMPLEX_WEIGHT = 0.3
EPSILON = 1e-6
FLOOR = 1e-12  # of power relative to the example's level: -120 dB


def spectral_loss(mask: tf.Tensor, noisy: tf.Tensor, clean: tf.Tensor) -> tf.Tensor:
    """Compressed spectral distance between masked noisy and clean speech.

    Formula, per bin, with X and S divided by the root mean square of X over the example:
    a = (m |X|)^c, b = |S|^c, c = 0.3;
    loss = (1 - w) (a - b)^2 + w (a^2 + b^2 - 2 a b cos(arg X - arg S)), w = 0.3.
    Expanding both squares gives a^2 + b^2 - 2 a b (1 - w (1 - cos)), which is what is computed; no
    complex number is differentiated. The complex-compressed term is that of Braun and Tashev
    (2021), "A consolidated view of loss functions for supervised deep learning-based speech
    enhancement".

    Args:
        mask: float32 [batch, frames, bins] in [0, 1].
        noisy: complex64 [batch, frames, bins].
        clean: complex64 [batch, frames, bins].

    Returns:
        float32 [batch], the mean over frames and bins.
    """
    noisy_power, clean_power = power(noisy), power(clean)
    level = tf.reduce_mean(noisy_power, axis=(1, 2), keepdims=True) + EPSILON**2
    cross = tf.math.real(noisy) * tf.math.real(clean) + tf.math.imag(noisy) * tf.math.imag(clean)
    cosine = cross * tf.math.rsqrt(noisy_power * clean_power + (EPSILON * level) ** 2)
    # x^c as exp(c log x): several times faster than a power on a CPU.
    target = tf.exp(COMPRESSION / 2 * tf.math.log(clean_power / level + FLOOR))
    compressed_noisy = tf.exp(COMPRESSION / 2 * tf.math.log(noisy_power / level + FLOOR))
    estimate = tf.exp(COMPRESSION * tf.math.log(mask + EPSILON)) * compressed_noisy
    agreement = 1.0 - COMPLEX_WEIGHT * (1.0 - cosine)
    per_bin = estimate**2 + target**2 - 2.0 * estimate * target * agreement
    return tf.reduce_mean(per_bin, axis=(1, 2))


def power(spectra: tf.Tensor) -> tf.Tensor:
    """Squared magnitude of complex spectra."""
    return tf.square(tf.math.real(spectra)) + tf.square(tf.math.imag(spectra))
