"""One phase of training: fit a Distiller in epochs, checkpoint each, resume bit for bit.

Everything random is a function of the seed and the step (`tfkd.data`), so the state of a phase is
the variables of the Distiller, its optimiser and the number of finished epochs.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf
import tf_keras as keras

from tfkd.atomic import atomic_path
from tfkd.distill import Distiller
from tfkd.errors import RunError, TfkdError
from tfkd.train.run_directory import RunDirectory, resume_command
from tfkd.train.strategy import agreed_minimum

MONITOR = "val_supervised_loss"


@dataclass(frozen=True)
class Schedule:
    """Length of a phase: epochs of `epoch_steps` steps, validated and checkpointed after each.

    The last epoch is shorter where `steps` is no multiple of `epoch_steps`.
    """

    steps: int
    epoch_steps: int
    patience: int = 0

    @property
    def epochs(self) -> int:
        return -(-self.steps // self.epoch_steps)

    def stretches(self, done: int) -> Iterator[tuple[int, int, int]]:
        """What is left after `done` epochs: (first epoch, epoch after the last, steps of each)."""
        whole, rest = divmod(self.steps, self.epoch_steps)
        if done < whole:
            yield done, whole, self.epoch_steps
        if rest and done <= whole:
            yield whole, whole + 1, rest


class Progress(keras.callbacks.Callback):
    """Checkpoint after every epoch; keep the best averaged weights; stop without improvement.

    Validation runs on the averaged weights. Early stopping counts from the best value ever seen,
    across resumes. An epoch whose losses are not all finite is not kept.
    """

    def __init__(self, distiller: Distiller, best_weights: Path, folder: Path, patience: int):
        super().__init__()
        self.best_weights = best_weights
        self.patience = patience
        self.finished_epochs = tf.Variable(0, dtype=tf.int64, trainable=False)
        self.best = tf.Variable(float("inf"), trainable=False)
        self.best_epoch = tf.Variable(0, dtype=tf.int64, trainable=False)
        state = tf.train.Checkpoint(
            student=distiller.student,
            average=distiller.ema_variables,
            optimizer=distiller.optimizer,
            finished_epochs=self.finished_epochs,
            best=self.best,
            best_epoch=self.best_epoch,
        )
        if distiller.projection is not None:
            state.projection = distiller.projection
        self.manager = tf.train.CheckpointManager(state, str(folder), max_to_keep=2)

    def restore(self, strategy: tf.distribute.Strategy) -> int:
        """Load the last checkpoint that all workers have, if there is one; returns the number of
        finished epochs.
        """
        self.manager.restore_or_initialize()
        finished = self.finished_epochs.numpy()
        agreed = agreed_minimum(finished, strategy)
        if agreed < finished:  # this worker had saved when another was killed
            self.manager.checkpoint.restore(self._checkpoint(agreed)).assert_consumed()
        return agreed

    def _checkpoint(self, epoch: int) -> str:
        """Path of an epoch's checkpoint.

        Raises:
            RunError: it is not kept any more.
        """
        for path in self.manager.checkpoints:
            if path.endswith(f"-{epoch}"):
                return path
        raise RunError(
            f"{self.manager.directory}: has no checkpoint of epoch {epoch}, up to which another "
            f"worker has come. Expected workers that were stopped together."
        )

    def exhausted(self) -> bool:
        """Whether early stopping has already ended this phase."""
        waited = self.finished_epochs.numpy() - self.best_epoch.numpy()
        return self.patience > 0 and waited >= self.patience

    def on_test_begin(self, logs: dict | None = None) -> None:
        self.model.swap_average()

    def on_test_end(self, logs: dict | None = None) -> None:
        self.model.swap_average()

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Raises TfkdError: a loss became NaN or infinite."""
        logs = logs or {}
        if not all(math.isfinite(value) for value in logs.values()):
            raise TfkdError(
                f"the loss became NaN or infinite in epoch {epoch + 1} of "
                f"{self.best_weights.parent}. Begin a new run with a lower train.learning_rate, or "
                f"check the recordings with `tfkd data check`."
            )
        self.finished_epochs.assign(epoch + 1)
        value = float(logs[MONITOR])
        if value < self.best.numpy():
            self.best.assign(value)
            self.best_epoch.assign(epoch + 1)
            self.model.swap_average()
            with atomic_weights(self.best_weights) as path:
                self.model.student.save_weights(path)
            self.model.swap_average()
        self.manager.save(checkpoint_number=epoch + 1)
        if self.exhausted():
            self.model.stop_training = True


def shared(batches: tf.data.Dataset) -> tf.data.Dataset:
    """The data set, of whose batches every replica takes its part when there are several."""
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return batches.with_options(options)


@contextmanager
def atomic_weights(path: Path) -> Iterator[Path]:
    """`atomic_path` for Keras weights, whose format Keras tells from the ending ".weights.h5".

    Raises:
        RunError: the weights cannot be written; h5py reports a full disk as a RuntimeError too.
    """
    with atomic_path(path) as temporary:
        named = temporary.with_name(f"{temporary.name}.weights.h5")
        try:
            yield named
            named.replace(temporary)
        except (OSError, RuntimeError) as error:
            raise RunError(
                f"{path}: cannot be written; is the disk full? Free some space, then continue "
                f"with: {resume_command(path.parent)}"
            ) from error
        finally:
            named.unlink(missing_ok=True)


def fit_phase(
    distiller: Distiller,
    run: RunDirectory,
    phase: str,
    schedule: Schedule,
    *,
    best_weights: Path,
    training: Callable[[int], tf.data.Dataset],
    validation: tf.data.Dataset,
    tensorboard: bool = False,
) -> None:
    """Train a compiled Distiller to the end of its schedule, from its last checkpoint if any.

    Args:
        distiller: compiled, its optimiser built for the trainable variables.
        run: where checkpoints and history go.
        phase: "float" or "qat".
        schedule: length, validation interval, patience.
        best_weights: where the best averaged student weights go.
        training: first step -> endless data set that starts with that step's batch.
        validation: fixed data set.
        tensorboard: also write `tb/<phase>` for TensorBoard.

    Raises:
        TfkdError: the loss became NaN or infinite.
    """
    with distiller.distribute_strategy.scope():
        distiller.optimizer.build(distiller.learnt_variables)
        progress = Progress(distiller, best_weights, run.checkpoints(phase), schedule.patience)
    done = progress.restore(distiller.distribute_strategy)
    _trim(run.history(phase), done)
    if done >= schedule.epochs or progress.exhausted():
        return
    # The row of an epoch comes before its checkpoint: `_trim` drops one too many, none is lost.
    callbacks = [
        keras.callbacks.TerminateOnNaN(),
        keras.callbacks.CSVLogger(str(run.history(phase)), append=True),
        progress,
    ]
    if tensorboard:
        callbacks.append(keras.callbacks.TensorBoard(str(run.path / "tb" / phase)))
    for first, last, steps in schedule.stretches(done):
        with redirect_stdout(sys.stderr):  # Keras writes its bar to stdout, which is for results
            distiller.fit(
                shared(training(first * schedule.epoch_steps)),
                steps_per_epoch=steps,
                initial_epoch=first,
                epochs=last,
                validation_data=shared(validation),
                callbacks=callbacks,
                verbose=1 if sys.stderr.isatty() else 2,
            )
        if progress.exhausted():
            return


def adopt_projection(distiller: Distiller, run: RunDirectory, phase: str) -> None:
    """Go on with the map phi that an earlier phase of the run has learnt; it may have none."""
    if distiller.projection is None:
        return
    state = tf.train.Checkpoint(projection=distiller.projection)
    last = tf.train.latest_checkpoint(str(run.checkpoints(phase)))
    state.restore(last).assert_existing_objects_matched().expect_partial()


def _trim(history: Path, epochs: int) -> None:
    """Drop rows of epochs that a kill cut off before their checkpoint, and any half-written row."""
    if not history.is_file():
        return
    with history.open(newline="") as file:
        rows = list(csv.reader(file))
    kept = [
        row
        for i, row in enumerate(rows)
        if i == 0 or (len(row) == len(rows[0]) and row[0].isdigit() and int(row[0]) < epochs)
    ]
    with atomic_path(history) as temporary, temporary.open("w", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(kept)
