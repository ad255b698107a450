"""How much of a teacher's layers a student's layers hold: the cosine after the best linear map."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras as keras
from numpy.typing import NDArray

from tfkd.distill.losses import Outputs
from tfkd.distill.losses.cosine import cosine_distance
from tfkd.errors import ModelError

Floats = NDArray[np.float32]

RIDGE = 1e-3  # of the mean squared activation; keeps the map finite where activations are dependent


def blocks(model: keras.Model) -> list[str]:
    """Names of the layers that end an inverted bottleneck, the latent among them, in order."""
    return [
        layer.name
        for layer in model.layers
        if isinstance(layer, keras.layers.Add) and not layer.name.endswith("_skip")
    ]


def frame_vectors(model: keras.Model, layer: str, features: Floats) -> Floats:
    """Activations of a layer, one vector per frame.

    Shapes: features [batch, frames, bands] -> [batch x frames, positions x channels].
    """
    probe = keras.Model(model.inputs, model.get_layer(layer).output)
    values = probe(features[..., np.newaxis], training=False).numpy()
    return values.reshape(values.shape[0] * values.shape[1], -1)


def best_map(student: Floats, teacher: Floats) -> Floats:
    """The linear map phi that brings student vectors nearest to the teacher's.

    Formula: argmin |S phi - T|^2 + r |phi|^2 = (S'S + r I)^-1 S'T, r = RIDGE x n x mean(S^2).
    Shapes: student [n, c_s], teacher [n, c_t] -> [c_s, c_t].
    """
    s, t = student.astype(np.float64), teacher.astype(np.float64)
    ridge = RIDGE * len(s) * float(np.mean(np.square(s))) + 1e-12
    return np.linalg.solve(s.T @ s + ridge * np.eye(s.shape[1]), s.T @ t).astype(np.float32)


def mapped_cosine(student: Floats, teacher: Floats, phi: Floats) -> float:
    """Mean cosine between phi(student) and teacher vectors, [n, c_s] and [n, c_t]."""
    latents = [
        tf.constant(vectors)[tf.newaxis, :, tf.newaxis] for vectors in (student @ phi, teacher)
    ]
    ours, theirs = (Outputs(latent, latent) for latent in latents)
    return 1.0 - float(cosine_distance(ours, theirs))


def layer_cosines(
    student: keras.Model, teacher: keras.Model, fit: Floats, held_out: Floats
) -> dict[str, float]:
    """Cosine of every block that both models have, by name, in the student's order.

    phi is fitted per block on one set of features and judged on another, so that a map with many
    coefficients gains nothing by heart.

    Args:
        student, teacher: training forms.
        fit, held_out: features [batch, frames, bands], of bands that both models take.

    Raises:
        ModelError: no block has the same name in both.
    """
    shared = [name for name in blocks(student) if name in set(blocks(teacher))]
    if not shared:
        raise ModelError(
            "teacher and student share no block. Expected two models of the DAE family."
        )
    cosines = {}
    for name in shared:
        phi = best_map(frame_vectors(student, name, fit), frame_vectors(teacher, name, fit))
        ours, theirs = (frame_vectors(model, name, held_out) for model in (student, teacher))
        cosines[name] = mapped_cosine(ours, theirs, phi)
    return cosines
