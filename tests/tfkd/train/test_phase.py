"""The length of a phase, and what one phase hands to the next."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from small_dae import SMALL_DAE, random_dae

from tfkd.config import Config
from tfkd.distill import LOSSES, Distiller
from tfkd.errors import RunError, TfkdError
from tfkd.train.phase import Progress, Schedule, adopt_projection, atomic_weights, fit_phase
from tfkd.train.run_directory import RunDirectory

TEACHER = SMALL_DAE.model_copy(update={"hidden": 24, "latent": 12})


@pytest.mark.parametrize(
    ("steps", "done", "expected"),
    [
        (20, 0, [(0, 2, 10)]),
        (25, 0, [(0, 2, 10), (2, 3, 5)]),
        (25, 1, [(1, 2, 10), (2, 3, 5)]),
        (25, 2, [(2, 3, 5)]),
        (25, 3, []),
        (20, 2, []),
        (5, 0, [(0, 1, 5)]),
    ],
)
def test_epochs_add_up_to_the_steps(steps, done, expected):
    schedule = Schedule(steps, epoch_steps=10)
    assert list(schedule.stretches(done)) == expected
    if not done:
        assert sum((last - first) * each for first, last, each in expected) == steps
        assert expected[-1][1] == schedule.epochs


def distiller(method, seed):
    model = Distiller(
        random_dae(),
        SMALL_DAE.frontend,
        LOSSES[method],
        weight=0.1,
        teacher=random_dae(TEACHER),
        seed=seed,
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1))
    return model


def test_the_next_phase_goes_on_with_the_learnt_projection(tmp_path):
    run = RunDirectory(tmp_path, Config(model=SMALL_DAE), "student")
    learnt, fresh = distiller("cosine", seed=1), distiller("cosine", seed=2)
    learnt.projection.kernel.assign(tf.random.stateless_normal((8, 12), (0, 1)))
    Progress(learnt, run.float_weights, run.checkpoints("float"), 0).manager.save()
    student = fresh.student.get_weights()
    adopt_projection(fresh, run, "float")
    np.testing.assert_array_equal(fresh.projection.kernel, learnt.projection.kernel)
    for before, after in zip(student, fresh.student.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_a_loss_without_projection_adopts_nothing(tmp_path):
    run = RunDirectory(tmp_path, Config(model=SMALL_DAE), "student")
    adopt_projection(distiller("similarity_frame", seed=1), run, "float")


def test_a_diverged_training_fails_until_its_data_are_sound(tmp_path):
    """What is kept is the state before: no epoch whose loss was not finite counts as done."""
    run = RunDirectory(tmp_path, Config(model=SMALL_DAE), "student")
    drawn = np.random.default_rng(0).normal(size=(2, 2, 20, SMALL_DAE.frontend.bins))
    noisy, clean = tf.constant(drawn[0], tf.complex64), tf.constant(drawn[1], tf.complex64)
    nan, sound = (tf.constant(value, tf.complex64) for value in (np.nan, 1.0))

    def go_on(from_step_2):
        def training(first):
            steps = tf.data.Dataset.range(first, 9)
            return steps.map(lambda k: (noisy * tf.where(k < 2, sound, from_step_2), clean))

        fit_phase(
            distiller("none", seed=1),
            run,
            "float",
            Schedule(steps=4, epoch_steps=1),
            best_weights=run.float_weights,
            training=training,
            validation=tf.data.Dataset.from_tensors((noisy, clean)),
        )

    for _ in range(2):
        with pytest.raises(TfkdError, match=r"NaN or infinite in epoch 3 of .*lower train\.lear"):
            go_on(nan)
    go_on(sound)
    epochs = np.genfromtxt(run.history("float"), delimiter=",", names=True)
    assert epochs["epoch"].tolist() == [0, 1, 2, 3]
    assert all(np.isfinite(epochs[name]).all() for name in epochs.dtype.names)


@pytest.mark.parametrize("value", ["loss", "val_supervised_loss"])
def test_an_epoch_of_no_finite_loss_is_not_kept(tmp_path, value):
    progress = Progress(distiller("none", seed=1), tmp_path / "best.h5", tmp_path / "float", 0)
    with pytest.raises(TfkdError, match="NaN or infinite"):
        progress.on_epoch_end(0, {"loss": 1.0, "val_supervised_loss": 1.0} | {value: np.inf})
    assert not progress.manager.checkpoints


@pytest.mark.parametrize("failure", [OSError, RuntimeError])
def test_weights_that_cannot_be_written_leave_the_old_ones(tmp_path, failure):
    """h5py raises either when the disk is full, the second while it closes the file."""
    path = tmp_path / "float.weights.h5"
    path.write_bytes(b"old")
    with pytest.raises(RunError, match=r"is the disk full\?.*tfkd train --resume"):
        with atomic_weights(path) as temporary:
            temporary.write_bytes(b"half")
            raise failure("file write failed")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
