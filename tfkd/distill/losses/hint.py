"""Hint distillation (FitNets): the control of the cosine method, same map, L2 instead of angle."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs


def hint_distance(student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor:
    """Mean squared difference of the latents.

    Formula: mean (phi(s) - t)^2 (Romero et al. 2015, arXiv 1412.6550). phi has been applied
    already.

    Shapes: latents [batch, frames, positions, channels], equal -> scalar. `axis` has no meaning
    here.
    """
    return tf.reduce_mean(tf.square(student.latent - teacher.latent))


HINT = DistillationLoss("hint", hint_distance, projects=True)
