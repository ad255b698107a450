"""Numbered batches: batch k of a data set is a pure function of (seed, k)."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

Batch = tuple[tf.Tensor, tf.Tensor]
MakeBatch = Callable[[tf.Tensor], Batch]  # of a seed int64 [2]


def one_graph(make: MakeBatch) -> MakeBatch:
    """The same function of a seed int64 [2], built as a graph once for all data sets that use it.

    Building the graph of a mixture takes seconds.
    """
    signature = [tf.TensorSpec([2], tf.int64)]
    return tf.function(make, input_signature=signature, autograph=False)


def batches(
    make: MakeBatch, *, seed: int, start_step: int = 0, steps: int | None = None
) -> tf.data.Dataset:
    """The batches start_step, start_step + 1, ... that `make` returns for a seed int64 [2].

    A data set from step k on yields what one from the beginning yields from k on. The map is
    sequential, because tfio's readers must be, and runs in one thread of its own, so that it
    overlaps with the training step and takes at most one core.
    """
    last = tf.int64.max if steps is None else start_step + steps

    @tf.autograph.experimental.do_not_convert
    def numbered(step: tf.Tensor) -> Batch:
        return make(tf.stack([tf.constant(seed, tf.int64), step]))

    options = tf.data.Options()
    options.deterministic = True
    options.threading.private_threadpool_size = 1
    options.threading.max_intra_op_parallelism = 1
    dataset = tf.data.Dataset.range(start_step, last).map(numbered).prefetch(2)
    return dataset.with_options(options)
