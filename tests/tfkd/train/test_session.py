"""What every method shares: the student it begins with."""

import numpy as np
import pytest
from conftest import SMALL_MODEL
from small_dae import features
from small_run import FRAMES, small_run, small_teacher

from tfkd.config_file import load_config
from tfkd.convert.run import convert_run
from tfkd.errors import ConfigError, ModelError
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


def test_a_run_begins_with_the_model_that_init_names(monkeypatch, tmp_path):
    trained = small_run(tmp_path / "runs")
    convert_run(trained)
    monkeypatch.setattr(session, "_calibration_features", lambda config: [features(FRAMES, 4)])
    settings = [*SMALL_MODEL, "data.segment_s=0.5", "distill.method=none"]
    config = load_config("micro", settings=[*settings, f"train.init={trained.path}"])
    run = RunDirectory.create(tmp_path / "runs", config, "student")
    (trained.path / "model.tflite").unlink()  # the run keeps what it began with
    students = []

    def start(distiller, *args, **options):
        students.append(distiller.student)
        raise Started

    monkeypatch.setattr(session, "fit_phase", start)
    monkeypatch.setattr(session, "validation_dataset", lambda config: None)
    with pytest.raises(Started):
        session.train_student(run)
    x = features(FRAMES, batch=2, seed=1)
    int8_weights = session.load_quantized(trained)(x, training=False).numpy()
    begun = students[0](x, training=False).numpy()
    assert int8_weights.std() > 0.02
    assert np.abs(begun - int8_weights).mean() < 0.01  # activations are rounded in one of them


def test_a_teacher_goes_on_where_another_ended(monkeypatch, tmp_path):
    trained = small_teacher(tmp_path / "runs")
    settings = [*SMALL_MODEL, "model.hidden=24", "model.latent=12"]
    config = load_config("teacher", settings=[*settings, f"train.init={trained.path}"])
    models = []

    def start(distiller, *args, **options):
        models.append(distiller.student)
        raise Started

    monkeypatch.setattr(session, "fit_phase", start)
    monkeypatch.setattr(session, "validation_dataset", lambda config: None)
    with pytest.raises(Started):
        session.train_teacher(RunDirectory.create(tmp_path / "runs", config, "teacher"))
    x = features(FRAMES)
    np.testing.assert_array_equal(
        models[0](x, training=False).numpy(),
        load_teacher(trained.path).model(x, training=False).numpy(),
    )


def test_a_teacher_of_another_shape_is_refused(tmp_path):
    trained = small_teacher(tmp_path / "runs")
    settings = [*SMALL_MODEL, "model.hidden=24", "model.latent=10"]
    config = load_config("teacher", settings=[*settings, f"train.init={trained.path}"])
    with pytest.raises(ModelError, match=r"Expected latent=10\. Received: latent=12"):
        session.train_teacher(RunDirectory.create(tmp_path / "runs", config, "teacher"))


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
