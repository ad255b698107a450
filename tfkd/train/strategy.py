"""Where a training runs: on this machine's first device, on all its GPUs, on several machines."""

from __future__ import annotations

import tensorflow as tf

from tfkd.errors import ConfigError

STRATEGIES = ("mirrored", "multiworker")


def make_strategy(name: str | None) -> tf.distribute.Strategy:
    """The strategy of a name; must come before anything else that TensorFlow computes.

    Args:
        name: "mirrored" (every GPU of this machine has a copy of the model), "multiworker" (so has
            every worker of the cluster that the environment's TF_CONFIG describes) or None.

    Raises:
        ConfigError: another name, or a cluster that cannot be joined.
    """
    if name is None:
        return tf.distribute.get_strategy()
    if name not in STRATEGIES:
        raise ConfigError(f"unknown strategy '{name}'. Expected one of {', '.join(STRATEGIES)}.")
    if name == "mirrored":
        return tf.distribute.MirroredStrategy()
    try:
        return tf.distribute.MultiWorkerMirroredStrategy()
    except (ValueError, KeyError, TypeError, RuntimeError, tf.errors.OpError) as error:
        raise ConfigError(
            f"cannot join the cluster of the environment's TF_CONFIG. {error} Expected TF_CONFIG "
            f'like {{"cluster": {{"worker": ["host0:port", "host1:port"]}}, "task": {{"type": '
            f'"worker", "index": 0}}}}, with its own index on every worker.'
        ) from error


def check_batch(batch: int, strategy: tf.distribute.Strategy) -> None:
    """Refuse a batch that the replicas cannot share equally.

    Raises:
        ConfigError: the batch does not divide.
    """
    replicas = strategy.num_replicas_in_sync
    if batch % replicas:
        raise ConfigError(
            f"train.batch must divide by the number of replicas. Received: train.batch={batch}, "
            f"{replicas} replicas."
        )


def agreed_minimum(value: int, strategy: tf.distribute.Strategy) -> int:
    """The smallest value that any worker has; every worker must call this."""
    if strategy.num_replicas_in_sync == 1:
        return value

    def gather() -> tf.Tensor:
        context = tf.distribute.get_replica_context()
        return context.all_gather(tf.constant([value], tf.int64), axis=0)

    everybody = strategy.run(tf.function(gather))
    return int(tf.reduce_min(strategy.experimental_local_results(everybody)[0]))
