"""Attention transfer: where the latent's energy lies, not what it holds."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs


def attention_map(latent: tf.Tensor) -> tf.Tensor:
    """Energy of every time-frequency position, scaled to unit length per example.

    Formula: A(f) = vec(mean_c f^2) / |vec(mean_c f^2)|.

    Shapes: latent [batch, frames, positions, channels] -> [batch, frames x positions].
    """
    energy = tf.reduce_mean(tf.square(latent), axis=-1)  # [B, T, P]
    flat = tf.reshape(energy, (tf.shape(energy)[0], -1))  # [B, T x P]
    return tf.math.l2_normalize(flat, axis=-1)


def attention_distance(student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor:
    """Mean squared difference of the attention maps.

    Formula: mean (A(s) - A(t))^2 over examples and positions (Zagoruyko and Komodakis 2017, arXiv
    1612.03928, activation-based, p = 2). The number of channels may differ, frames and positions
    may not.

    Shapes: latents [batch, frames, positions, channels] -> scalar. `axis` has no meaning here.
    """
    difference = attention_map(student.latent) - attention_map(teacher.latent)
    return tf.reduce_mean(tf.square(difference))


ATTENTION = DistillationLoss("attention", attention_distance)
