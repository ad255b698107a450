"""What every method shares: the student it begins with."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import SMALL_MODEL
from small_dae import features
from small_run import FRAMES, small_run, small_teacher

from tfkd.config_file import load_config
from tfkd.convert.run import convert_run
from tfkd.errors import ConfigError, RunError
from tfkd.models.teacher import load_teacher
from tfkd.train import session
from tfkd.train.run_directory import RunDirectory


class Started(Exception):
    """Raised instead of training."""


def started_distiller(monkeypatch, tmp_path, *settings):
    """The Distiller that a run is about to train."""
    config = load_config("micro", settings=[*SMALL_MODEL, *settings])
    distillers = []

    def start(distiller, *args, **options):
        distillers.append(distiller)
        raise Started

    monkeypatch.setattr(session, "fit_phase", start)
    monkeypatch.setattr(session, "validation_dataset", lambda config: None)
    session.prepare(config)
    with pytest.raises(Started):
        session.train_student(RunDirectory(tmp_path, config, "student"))
    return distillers[0]


def test_every_method_begins_with_the_same_student(monkeypatch, tmp_path):
    alone = started_distiller(monkeypatch, tmp_path, "distill.method=none")
    guided = started_distiller(monkeypatch, tmp_path, "distill.method=cosine")
    other = started_distiller(monkeypatch, tmp_path, "distill.method=none", "train.seed=1")
    for a, b in zip(alone.student.get_weights(), guided.student.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [d.student.trainable_variables[0].numpy() for d in (alone, other)]
    assert (kernels[0] != kernels[1]).any()


def begun_student(monkeypatch, run, train=session.train_student):
    """The student that a run begins its float phase with."""
    students = []

    def start(distiller, *args, **options):
        students.append(distiller.student)
        raise Started

    monkeypatch.setattr(session, "fit_phase", start)
    monkeypatch.setattr(session, "validation_dataset", lambda config: None)
    monkeypatch.setattr(session, "_calibration_features", lambda config: [features(FRAMES, 4)])
    with pytest.raises(Started):
        train(run)
    return students[0]


@pytest.fixture
def trained(tmp_path):
    run = small_run(tmp_path / "trained")
    convert_run(run)
    return run


def begin(tmp_path, trained):
    settings = [*SMALL_MODEL, "data.segment_s=0.5", "distill.method=none", "train.init=trained"]
    config = load_config("micro", settings=settings)
    return RunDirectory.create(tmp_path, config, "student", trained.path / "model.tflite")


def test_a_run_begins_with_the_model_that_init_names(monkeypatch, tmp_path, trained):
    run = begin(tmp_path, trained)
    (trained.path / "model.tflite").unlink()  # the run keeps what it began with
    run.checkpoints("float").mkdir(parents=True)  # killed before the first was whole
    x = features(FRAMES, batch=2, seed=1)
    expected = session.load_quantized(trained)(x, training=False).numpy()
    begun = begun_student(monkeypatch, run)(x, training=False).numpy()
    assert expected.std() > 0.02
    assert np.abs(begun - expected).mean() < 0.01  # activations are rounded in one of them


def test_a_checkpoint_comes_before_what_a_run_began_with(monkeypatch, tmp_path, trained):
    run = begin(tmp_path, trained)
    tf.train.CheckpointManager(
        tf.train.Checkpoint(step=tf.Variable(1)), str(run.checkpoints("float")), 1
    ).save()
    run.initial_weights.unlink()
    begun_student(monkeypatch, run)


def test_lost_first_weights_are_no_traceback(tmp_path, trained):
    run = begin(tmp_path, trained)
    run.initial_weights.unlink()
    with pytest.raises(RunError, match=r"init\.tflite: is missing.*Begin it anew"):
        session.train_student(run)


def test_what_was_converted_on_the_way_does_not_outlive_its_weights(monkeypatch, tmp_path, trained):
    trained.set_state("running")
    begun_student(monkeypatch, trained)
    assert not (trained.path / "model.tflite").exists()


def test_a_teacher_goes_on_where_another_ended(monkeypatch, tmp_path):
    trained = small_teacher(tmp_path / "runs")
    settings = [*SMALL_MODEL, "model.hidden=24", "model.latent=12", "train.init=trained"]
    config = load_config("teacher", settings=settings)
    run = RunDirectory.create(tmp_path / "runs", config, "teacher", trained.float_weights)
    x = features(FRAMES)
    np.testing.assert_array_equal(
        begun_student(monkeypatch, run, session.train_teacher)(x, training=False).numpy(),
        load_teacher(trained.path).model(x, training=False).numpy(),
    )


def test_two_step_pretrains_for_a_third_of_the_steps(monkeypatch, tmp_path):
    lengths = ["train.steps=900", "train.epoch_steps=300"]
    both = [
        started_distiller(monkeypatch, tmp_path, f"distill.method={method}", *lengths)
        for method in ("two_step", "cosine")
    ]
    assert [distiller.pretraining_steps for distiller in both] == [300, 0]


def test_two_step_cannot_stop_early(tmp_path):
    settings = [*SMALL_MODEL, "distill.method=two_step", "train.patience=3"]
    config = load_config("micro", settings=settings)
    with pytest.raises(ConfigError, match=r"Expected train.patience=0\. Received: 3"):
        session.train_student(RunDirectory(tmp_path, config, "student"))
