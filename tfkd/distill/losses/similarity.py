"""Similarity matrices of a batch: which examples a model finds alike, whatever its dimension."""

from __future__ import annotations

import tensorflow as tf


def similarity(rows: tf.Tensor) -> tf.Tensor:
    """Inner products of all pairs of examples, each row scaled to unit length.

    Formula: r(X X'), r scaling every row to unit L2 norm.

    Shapes: [..., batch, features] -> [..., batch, batch].
    """
    return tf.math.l2_normalize(tf.matmul(rows, rows, transpose_b=True), axis=-1)


def similarity_difference(student: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Mean squared difference of the similarity matrices, ||r(S S') - r(T T')||_F^2 / batch^2.

    Shapes: [..., batch, features], whose features may differ in number -> scalar, averaged over the
    leading axes. A batch of one example has nothing to compare: 0.
    """
    return tf.reduce_mean(tf.square(similarity(student) - similarity(teacher)))
