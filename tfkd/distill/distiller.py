"""Train a student under a frozen teacher: a Keras model whose `train_step` distils."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf
import tf_keras as keras

from tfkd.config import FrontEndConfig
from tfkd.distill.losses import DistillationLoss, Outputs
from tfkd.distill.losses.cosine import cosine_distance
from tfkd.distill.supervised import spectral_loss
from tfkd.distill.supervised.spectral import power as spectral_power
from tfkd.errors import ModelError
from tfkd.frontend_tf import band_features, bin_mask
from tfkd.models.dae import LATENT, QUANTIZED
from tfkd.models.teacher import check_frames

SpectraLoss = Callable[[tf.Tensor, tf.Tensor, tf.Tensor], tf.Tensor]


class Distiller(keras.Model):
    """Supervised loss + weight x distance to a frozen teacher, on batches of (noisy, clean)
    spectra.

    Its metrics are both terms, their sum and, with a projecting loss, `latent_cosine`: the mean
    cosine between phi(student latent) and teacher latent per frame.

    Only the student is trained, and with a projecting loss the linear map phi: student latent ->
    teacher width, which exists during training alone. The teacher runs in inference mode outside
    the gradient tape. The student runs forward once per step.

    Example:
        >>> distiller = Distiller(student, student_frontend, LOSSES["cosine"], weight=0.1,
        ...                       teacher=teacher, teacher_frontend=teacher_frontend)
        >>> distiller.compile(optimizer=keras.optimizers.AdamW(6e-3))
        >>> distiller.fit(dataset, steps_per_epoch=250, epochs=60)

    Args:
        student: features [batch, frames, bands, 1] -> mask of the same shape, with a layer named
            "latent".
        student_frontend: the student's front end.
        loss: one of `tfkd.distill.losses.LOSSES`.
        weight: lambda, the weight of the distillation loss.
        axis: what one vector of the cosine is; see `cosine_distance`.
        teacher: a frozen model of the same kind; needed unless the loss is "none".
        teacher_frontend: its front end; window and hop must be the student's.
        ema: decay of the moving average of all student variables, batch statistics included; 0:
            none.
        seed: seed of phi's initial weights.
        pretraining_steps: number of first steps that train on the distance alone; only for a loss
            with `pretraining`.
        supervised: (mask, noisy, clean) spectra -> loss of each example, [batch].

    Raises:
        ValueError: no teacher where one is needed.
        ModelError: a teacher smaller than the student (the two are swapped), or front ends whose
            frames do not coincide.
    """

    def __init__(
        self,
        student: keras.Model,
        student_frontend: FrontEndConfig,
        loss: DistillationLoss,
        *,
        weight: float = 0.0,
        axis: str = "frame",
        teacher: keras.Model | None = None,
        teacher_frontend: FrontEndConfig | None = None,
        ema: float = 0.0,
        seed: int = 0,
        pretraining_steps: int = 0,
        supervised: SpectraLoss = spectral_loss,
    ) -> None:
        super().__init__()
        self.student = student
        self.teacher = teacher if loss.uses_teacher else None
        self.supervised_loss = supervised
        self.distillation_loss = loss
        self.weight = weight
        self.pretraining_steps = pretraining_steps
        self.axis = axis
        self.student_frontend = student_frontend
        self.teacher_frontend = teacher_frontend or student_frontend
        self._student_outputs = with_latent(student)
        self.projection: keras.layers.Layer | None = None
        if loss.uses_teacher:
            self._adopt(teacher, seed)
        self.ema = ema
        self._averaged = [v for v in student.variables if ema and v.dtype.is_floating]
        # Replicas hold equal variables, so each keeps its own averages, which are equal too.
        self.ema_variables = [
            tf.Variable(
                v.read_value(),
                trainable=False,
                name="average",
                synchronization=tf.VariableSynchronization.ON_READ,
                aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            )
            for v in self._averaged
        ]
        names = ["loss", "supervised_loss", "distillation_loss"]
        if self.projection is not None:
            names.append("latent_cosine")
        self._trackers = {name: keras.metrics.Mean(name=name) for name in names}

    def _adopt(self, teacher: keras.Model | None, seed: int) -> None:
        if teacher is None:
            raise ValueError(
                f"The loss '{self.distillation_loss.name}' needs a teacher. "
                f"Received: teacher=None. Pass a teacher or use the loss 'none'."
            )
        if teacher.count_params() < self.student.count_params():
            raise ModelError(
                f"the teacher must be at least as large as the student; are the two swapped? "
                f"Received: teacher with {teacher.count_params()} parameters, student with "
                f"{self.student.count_params()}."
            )
        check_frames(self.student_frontend, self.teacher_frontend)
        teacher.trainable = False
        self._teacher_outputs = with_latent(teacher)
        if self.distillation_loss.projects:
            self.projection = keras.layers.Dense(
                self._teacher_outputs.output_shape[1][-1],
                use_bias=False,
                kernel_initializer=keras.initializers.GlorotUniform(seed),
                name="projection",
            )
            self.projection.build(self._student_outputs.output_shape[1])

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers.values())

    @property
    def learnt_variables(self) -> list[tf.Variable]:
        """What the optimiser moves: the student's weights, and phi where the loss reaches it."""
        variables = list(self.student.trainable_variables)
        if self.projection is not None and self.weight > 0.0:
            variables += self.projection.trainable_variables
        return variables

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Features [batch, frames, bands, 1] -> the student's mask, same shape."""
        return self.student(inputs, training=training)

    @tf.autograph.experimental.do_not_convert
    def train_step(self, data: Any) -> dict[str, tf.Tensor]:
        """One step on (noisy, clean), complex64 [batch, frames, bins] each."""
        noisy, clean = self._unpack(data)
        power = spectral_power(noisy)
        teacher = self._run_teacher(power)
        with tf.GradientTape() as tape:
            losses = self._compute(power, noisy, clean, teacher, training=True)
            # The optimiser adds up the gradients of all replicas.
            share = losses["loss"] / tf.distribute.get_strategy().num_replicas_in_sync
        self.optimizer.minimize(share, self.learnt_variables, tape=tape)
        self._average()
        return self._track(losses)

    @tf.autograph.experimental.do_not_convert
    def test_step(self, data: Any) -> dict[str, tf.Tensor]:
        """The same losses without an update; frozen batch statistics."""
        noisy, clean = self._unpack(data)
        power = spectral_power(noisy)
        teacher = self._run_teacher(power)
        return self._track(self._compute(power, noisy, clean, teacher, training=False))

    def swap_average(self) -> None:
        """Exchange the student's variables with their moving averages; twice is the identity."""
        for variable, average in zip(self._averaged, self.ema_variables, strict=True):
            held = variable.numpy()
            variable.assign(average)
            average.assign(held)

    def _unpack(self, data: Any) -> tuple[tf.Tensor, tf.Tensor]:
        if len(data) != 2:
            raise ValueError(
                "The Distiller takes batches of (noisy, clean); sample weights are not supported. "
                f"Received: {len(data)} elements."
            )
        return data

    def _run_teacher(self, power: tf.Tensor) -> Outputs | None:
        if self.teacher is None:
            return None
        features = band_features(power, self.teacher_frontend)[..., tf.newaxis]
        mask, latent = self._teacher_outputs(features, training=False)
        return Outputs(
            tf.stop_gradient(latent),
            tf.stop_gradient(bin_mask(mask[..., 0], self.teacher_frontend)),
        )

    def _compute(
        self,
        power: tf.Tensor,
        noisy: tf.Tensor,
        clean: tf.Tensor,
        teacher: Outputs | None,
        *,
        training: bool,
    ) -> dict[str, tf.Tensor]:
        features = band_features(power, self.student_frontend)[..., tf.newaxis]  # [B, T, bands, 1]
        mask, latent = self._student_outputs(features, training=training)
        mask = bin_mask(mask[..., 0], self.student_frontend)  # [B, T, bins]
        supervised = tf.reduce_mean(self.supervised_loss(mask, noisy, clean))
        if teacher is None:
            distance = tf.zeros(())
        else:
            if self.projection is not None:
                latent = self.projection(latent)
            distance = self.distillation_loss.distance(
                Outputs(latent, mask), teacher, axis=self.axis
            )
        losses = {
            "loss": self.distillation_loss.total(
                supervised,
                distance,
                self.weight,
                pretrains=self.optimizer.iterations < self.pretraining_steps,
            ),
            "supervised_loss": supervised,
            "distillation_loss": distance,
        }
        if self.projection is not None:
            aligned = cosine_distance(
                Outputs(tf.stop_gradient(latent), mask), teacher, axis="frame"
            )
            losses["latent_cosine"] = 1.0 - aligned
        return losses

    def _average(self) -> None:
        """Moving average with a warm-up: decay min(ema, (1 + n) / (10 + n)) at step n."""
        if not self.ema:
            return
        step = tf.cast(self.optimizer.iterations, tf.float32)
        share = 1.0 - tf.minimum(self.ema, (1.0 + step) / (10.0 + step))
        for average, variable in zip(self.ema_variables, self._averaged, strict=True):
            average.assign_sub(share * (average - variable))

    def _track(self, losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        for name, tracker in self._trackers.items():
            tracker.update_state(losses[name])
        return {name: tracker.result() for name, tracker in self._trackers.items()}


def with_latent(model: keras.Model) -> keras.Model:
    """The model with its latent as a second output: features -> (mask, latent)."""
    names = {layer.name for layer in model.layers}
    name = QUANTIZED + LATENT if QUANTIZED + LATENT in names else LATENT
    return keras.Model(model.inputs, [model.outputs[0], model.get_layer(name).output])
