"""What a distillation loss sees of one model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import tensorflow as tf


class Outputs(NamedTuple):
    """Outputs of a model for one batch.

    latent: float32 [batch, frames, positions, channels], signed (linear inverted bottleneck).
    mask: float32 [batch, frames, bins] in [0, 1], interpolated from the model's own bands to STFT
        bins, so that models of different frequency resolution compare.
    """

    latent: tf.Tensor
    mask: tf.Tensor


class Distance(Protocol):
    """Distance between student and teacher, a scalar; the teacher's tensors carry no gradient."""

    def __call__(self, student: Outputs, teacher: Outputs, *, axis: str) -> tf.Tensor: ...


@dataclass(frozen=True)
class DistillationLoss:
    """One way to learn from a teacher.

    Attributes:
        name: key in `tfkd.distill.LOSSES` and value of `distill.method`.
        distance: student outputs, teacher outputs -> scalar.
        projects: whether the student's latent passes the train-only linear map phi to the teacher's
            width first.
        blends: True: total = (1 - weight) supervised + weight distance; False: total = supervised +
            weight distance.
        uses_teacher: False only for training alone.
        pretraining: fraction of the float phase at its start that trains on weight x distance
            alone; everything after it, quantisation-aware training included, on the supervised
            loss alone. 0: both terms throughout.
    """

    name: str
    distance: Distance
    projects: bool = False
    blends: bool = False
    uses_teacher: bool = True
    pretraining: float = 0.0

    def total(
        self,
        supervised: tf.Tensor,
        distance: tf.Tensor,
        weight: float,
        *,
        pretrains: tf.Tensor | bool = False,
    ) -> tf.Tensor:
        """Combine both terms; with weight 0 the supervised loss itself, untouched.

        Args:
            supervised, distance: scalars.
            weight: lambda.
            pretrains: whether this step lies in the part that `pretraining` speaks of.
        """
        if weight == 0.0 or not self.uses_teacher:
            return supervised
        if self.pretraining:
            return tf.where(pretrains, weight * distance, supervised)
        if self.blends:
            return (1.0 - weight) * supervised + weight * distance
        return supervised + weight * distance
