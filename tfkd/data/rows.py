"""Work on some rows of a batch: what is rare costs only where it happens."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf


def replace_rows(
    values: tf.Tensor, chosen: tf.Tensor, make: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Replace the chosen rows of values [rows, ...] by what `make` returns for them.

    Args:
        chosen: bool [rows].
        make: takes the indices int64 [count, 1] of the chosen rows, for `tf.gather_nd`, and returns
            their new values [count, ...]. Nothing runs when no row is chosen, and nothing is built
            when `chosen` is a constant that chooses none.
    """
    known = tf.get_static_value(chosen)
    if known is not None and not known.any():
        return values
    rows = tf.where(chosen)
    return tf.cond(
        tf.size(rows) > 0,
        lambda: tf.tensor_scatter_nd_update(values, rows, make(rows)),
        lambda: values,
    )
