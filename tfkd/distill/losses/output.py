"""Output distillation: the student's mask follows the teacher's."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs


def output_distance(student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor:
    """Mean squared difference of the masks.

    Formula: mean (m_s - m_t)^2 over batch, frames and bins; the total loss is
    (1 - a) L_sup + a distance (Hinton et al. 2015, arXiv 1503.02531, for a regression).

    Shapes: masks [batch, frames, bins] -> scalar. `axis` has no meaning here.
    """
    return tf.reduce_mean(tf.square(student.mask - teacher.mask))


OUTPUT = DistillationLoss("output", output_distance, blends=True)
