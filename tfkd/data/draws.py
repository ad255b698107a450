"""The random numbers of one batch, each a pure function of (seed, step, order of drawing)."""

from __future__ import annotations

import math

import tensorflow as tf

COLUMNS = 192  # uniform numbers available per row


class Draws:
    """Uniform numbers [rows, COLUMNS] made by one stateless operation and handed out in order.

    Args:
        seed: int64 [2].
        rows: number of examples.
    """

    def __init__(self, seed: tf.Tensor, rows: tf.Tensor | int) -> None:
        self._seed = seed
        self._rows = rows
        self._numbers = tf.random.stateless_uniform([rows, COLUMNS], seed, dtype=tf.float64)
        self._used = 0

    def child(self, index: int, rows: tf.Tensor | int) -> Draws:
        """Independent draws for another set of rows."""
        return Draws(tf.random.experimental.stateless_fold_in(self._seed, index), rows)

    def fraction(self, count: int = 0) -> tf.Tensor:
        """float64 [rows] in [0, 1), or [rows, count]."""
        first, self._used = self._used, self._used + max(count, 1)
        if self._used > COLUMNS:
            raise ValueError(f"More than COLUMNS (={COLUMNS}) numbers were drawn per row.")
        block = self._numbers[:, first : self._used]
        return block if count else block[:, 0]

    def uniform(self, low: float, high: float, count: int = 0) -> tf.Tensor:
        """float32 [rows] in [low, high), or [rows, count]."""
        return tf.cast(low + (high - low) * self.fraction(count), tf.float32)

    def log_uniform(self, low: float, high: float) -> tf.Tensor:
        """float32 [rows], uniform on a logarithmic scale."""
        return tf.exp(self.uniform(math.log(low), math.log(high)))

    def chance(self, probability: float) -> tf.Tensor:
        """bool [rows], true with the given probability; a constant where that is 0."""
        fraction = self.fraction()
        return fraction < probability if probability else tf.zeros([self._rows], tf.bool)

    def normal(self, samples: int) -> tf.Tensor:
        """Gaussian float32 [rows, samples] of unit variance."""
        seed = tf.random.experimental.stateless_fold_in(self._seed, 1_000_003)
        return tf.random.stateless_normal([self._rows, samples], seed)
