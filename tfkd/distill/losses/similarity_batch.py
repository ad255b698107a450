"""Similarity-preserving distillation: examples alike to the teacher are alike to the student."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs
from tfkd.distill.losses.similarity import similarity_difference


def similarity_batch_distance(student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor:
    """Difference of the batch's similarity matrices, a whole latent being one vector.

    Formula: ||r(Xs Xs') - r(Xt Xt')||_F^2 / B^2, X = [B, T x P x C], rows of r(M) of unit length
    (Tung and Mori 2019, arXiv 1907.09682). Free of the latents' dimensions; needs a batch of two or
    more.

    Shapes: latents [batch, frames, positions, channels] -> scalar. `axis` has no meaning here.
    """
    return similarity_difference(_flat(student.latent), _flat(teacher.latent))


def _flat(latent: tf.Tensor) -> tf.Tensor:
    return tf.reshape(latent, (tf.shape(latent)[0], -1))  # [B, T x P x C]


SIMILARITY_BATCH = DistillationLoss("similarity_batch", similarity_batch_distance)
