"""Latent alignment with the cosine distance: the method of Luong et al. (arXiv 2505.03442)."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.losses.loss import DistillationLoss, Outputs

EPSILON = 1e-8

# The axes of a latent [batch, frames, positions, channels] that form one vector.
AXES = {"frame": (2, 3), "position": (3,), "example": (1, 2, 3)}


def cosine_distance(student: Outputs, teacher: Outputs, *, axis: str = "frame") -> tf.Tensor:
    """One minus the mean cosine between the latents.

    Formula: 1 - mean <phi(s), t> / (|phi(s)| |t| + eps). phi has been applied already.

    Args:
        student, teacher: latents [batch, frames, positions, channels], of equal shape.
        axis: what one vector is: "frame" (positions x channels of a frame), "position" (channels of
            a time-frequency position) or "example" (the whole latent).

    Returns:
        A scalar in [0, 2]; 0 when all vectors are parallel. Scaling the student's latent does not
        change it, permuting its channels does.

    Raises:
        ValueError: an unknown axis.
    """
    if axis not in AXES:
        raise ValueError(
            f"Invalid value for argument `axis`. Expected one of {sorted(AXES)}. "
            f"Received: axis={axis}"
        )
    along = AXES[axis]
    inner = tf.reduce_sum(student.latent * teacher.latent, axis=along)
    # eps^2 inside the roots keeps the gradient finite at a zero vector.
    student_norm = tf.sqrt(tf.reduce_sum(student.latent**2, axis=along) + EPSILON**2)
    teacher_norm = tf.sqrt(tf.reduce_sum(teacher.latent**2, axis=along) + EPSILON**2)
    return 1.0 - tf.reduce_mean(inner / (student_norm * teacher_norm + EPSILON))


COSINE = DistillationLoss("cosine", cosine_distance, projects=True)
