"""Power spectrograms for tests of the supervised distances, and what all of these must pass."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from tfkd.config import FrontEndConfig

FRONT_END = FrontEndConfig()
FRAMES = 48
PowerLoss = Callable[[tf.Tensor, tf.Tensor, FrontEndConfig], tf.Tensor]


def random_powers() -> np.ndarray:
    """[FRAMES, bins], spread over many dB."""
    shape = (FRAMES, FRONT_END.bins)
    return np.random.default_rng(0).gamma(0.3, 1.0, shape).astype(np.float32)


def distance_of(loss: PowerLoss) -> Callable[[np.ndarray, np.ndarray], float]:
    """The loss of one example: (enhanced, clean) power spectrograms [frames, bins] -> value."""

    def distance(enhanced: np.ndarray, clean: np.ndarray) -> float:
        one, other = (tf.constant(p[np.newaxis], tf.float32) for p in (enhanced, clean))
        return float(loss(one, other, FRONT_END)[0])

    return distance


def check_gradients_at_silence(loss: PowerLoss, clean_level: float) -> None:
    """Digital silence against speech, and against silence: loss and gradient are finite."""
    clean = tf.constant(clean_level * random_powers()[np.newaxis])
    enhanced = tf.Variable(tf.zeros(clean.shape))
    with tf.GradientTape() as tape:
        value = loss(enhanced, clean, FRONT_END)
    assert np.isfinite(value.numpy()).all()
    assert np.isfinite(tape.gradient(value, enhanced).numpy()).all()
