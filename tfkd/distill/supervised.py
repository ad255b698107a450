"""The supervised loss: compressed magnitude and complex spectrum of the enhanced speech."""

from __future__ import annotations

import tensorflow as tf

COMPRESSION = 0.3
COMPLEX_WEIGHT = 0.3
EPSILON = 1e-6


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
    noisy_magnitude, clean_magnitude = tf.abs(noisy), tf.abs(clean)
    level = tf.sqrt(tf.reduce_mean(noisy_magnitude**2, axis=(1, 2), keepdims=True)) + EPSILON
    cross = tf.math.real(noisy * tf.math.conj(clean))
    cosine = cross / (noisy_magnitude * clean_magnitude + EPSILON * level**2)
    target = (clean_magnitude / level) ** COMPRESSION
    estimate = (mask + EPSILON) ** COMPRESSION * (noisy_magnitude / level) ** COMPRESSION
    agreement = 1.0 - COMPLEX_WEIGHT * (1.0 - cosine)
    per_bin = estimate**2 + target**2 - 2.0 * estimate * target * agreement
    return tf.reduce_mean(per_bin, axis=(1, 2))
