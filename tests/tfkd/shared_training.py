"""A small training that one process or several do; run as a program, one worker of TF_CONFIG's."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras
from small_dae import ONE_LAYER_DAE, random_dae

from tfkd.config_file import load_config
from tfkd.distill import LOSSES, Distiller
from tfkd.train.phase import Schedule, fit_phase
from tfkd.train.run_directory import RunDirectory
from tfkd.train.strategy import make_strategy

# a few steps learn more from features that the demo's levels fill
STUDENT = ONE_LAYER_DAE.model_copy(
    update={"frontend": ONE_LAYER_DAE.frontend.model_copy(update={"floor_db": -60.0})}
)
TEACHER = STUDENT.model_copy(update={"name": "large", "latent": 12, "hidden": 24})
BATCH, EPOCH_STEPS = 4, 2


def batches(first: int, count: int) -> tf.data.Dataset:
    """`count` batches (noisy, clean), complex64 [4, 12, 257], numbered from `first`."""
    noisy = []
    for step in range(first, first + count):
        rng = np.random.default_rng(step)
        parts = rng.uniform(0.1, 3.0, (BATCH, 1, 1)) * rng.normal(size=(2, BATCH, 12, 257))
        noisy.extend(parts[0] + 1j * parts[1])
    stacked = np.asarray(noisy, np.complex64)
    return tf.data.Dataset.from_tensor_slices((stacked, 0.5 * stacked)).batch(BATCH, True)


def train(run: RunDirectory, strategy: tf.distribute.Strategy, epochs: int) -> None:
    """Train to a number of epochs, from the last checkpoint if there is one."""
    with strategy.scope():
        distiller = Distiller(
            random_dae(STUDENT),
            STUDENT.frontend,
            LOSSES["cosine"],
            weight=0.3,
            teacher=random_dae(TEACHER, seed=1),
            ema=0.5,
        )
        distiller.compile(optimizer=keras.optimizers.SGD(0.05))
    fit_phase(
        distiller,
        run,
        "float",
        Schedule(epochs * EPOCH_STEPS, EPOCH_STEPS),
        best_weights=run.float_weights,
        training=lambda step: batches(step, 6),
        validation=batches(1000, 2),
    )


def interrupted_training(folder: Path, strategy: tf.distribute.Strategy, loses: bool) -> None:
    """Two epochs, then a third in a second run; a worker that `loses` has forgotten epoch two."""
    run = RunDirectory.create_at(folder, load_config("micro"), "student")
    train(run, strategy, epochs=2)
    if loses:
        (run.checkpoints("float") / "checkpoint").write_text(
            'model_checkpoint_path: "ckpt-1"\nall_model_checkpoint_paths: "ckpt-1"\n'
        )
    train(run, strategy, epochs=3)


if __name__ == "__main__":
    index = json.loads(os.environ["TF_CONFIG"])["task"]["index"]
    interrupted_training(Path(sys.argv[1]), make_strategy("multiworker"), loses=index == 0)
