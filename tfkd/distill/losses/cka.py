"""Centred kernel alignment: the same latent up to rotation and scale."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs

EPSILON = 1e-8


def cka_distance(student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor:
    """One minus the linear centred kernel alignment of the latents.

    Formula: 1 - ||S'T||_F^2 / (||S'S||_F ||T'T||_F + eps), S and T = [B x T x P, C] with centred
    columns (Kornblith et al. 2019, arXiv 1905.00414). Invariant to rotation, permutation and scale
    of either latent; the numbers of channels may differ.

    Shapes: latents [batch, frames, positions, channels] -> scalar in [0, 1]. `axis` has no meaning
    here.
    """
    s, t = _centred(student.latent), _centred(teacher.latent)
    shared = tf.reduce_sum(tf.square(tf.matmul(s, t, transpose_a=True)))
    return 1.0 - shared / (_gram_norm(s) * _gram_norm(t) + EPSILON)


def _centred(latent: tf.Tensor) -> tf.Tensor:
    rows = tf.reshape(latent, (-1, latent.shape[-1]))  # [B x T x P, C]
    return rows - tf.reduce_mean(rows, axis=0)


def _gram_norm(rows: tf.Tensor) -> tf.Tensor:
    """||X'X||_F; eps^2 inside the root keeps the gradient finite at zero."""
    gram = tf.matmul(rows, rows, transpose_a=True)  # [C, C]
    return tf.sqrt(tf.reduce_sum(tf.square(gram)) + EPSILON**2)


CKA = DistillationLoss("cka", cka_distance)
