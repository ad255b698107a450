"""Similarity-preserving distillation frame by frame."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs
from tfkd.distill.losses.similarity import similarity_difference


def similarity_frame_distance(student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor:
    """Difference of the batch's similarity matrices at every frame, averaged over frames.

    Formula: mean_t ||r(Xs Xs') - r(Xt Xt')||_F^2 / B^2, X = [B, P x C] of frame t. Tung and Mori's
    loss (2019, arXiv 1907.09682) at the grain of a frame, after the finer grain that Nathoo et al.
    (2023, arXiv 2309.08144) found to help in speech enhancement. Free of the latents' channels and
    positions; the frames must be as many. Needs a batch of two or more.

    Shapes: latents [batch, frames, positions, channels] -> scalar. `axis` has no meaning here.
    """
    return similarity_difference(_by_frame(student.latent), _by_frame(teacher.latent))


def _by_frame(latent: tf.Tensor) -> tf.Tensor:
    shape = tf.shape(latent)
    flat = tf.reshape(latent, (shape[0], shape[1], -1))  # [B, T, P x C]
    return tf.transpose(flat, (1, 0, 2))  # [T, B, P x C]


SIMILARITY_FRAME = DistillationLoss("similarity_frame", similarity_frame_distance)
