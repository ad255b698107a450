"""What a Distiller owes: a frozen teacher, one student pass, plain training at weight 0."""

import numpy as np
import pytest
import tensorflow as tf
import tf_keras as keras
from small_dae import ONE_LAYER_DAE, random_dae

from tfkd.config import FrontEndConfig
from tfkd.distill import LOSSES, Distiller
from tfkd.errors import ModelError

STUDENT = ONE_LAYER_DAE
TEACHER = STUDENT.model_copy(update={"name": "large", "latent": 12, "hidden": 24})


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    shape = (2, 10, 257)
    noisy = (rng.normal(size=shape) + 1j * rng.normal(size=shape)).astype(np.complex64)
    return tf.constant(noisy), tf.constant(noisy * 0.5)


def models(seed=0):
    return random_dae(STUDENT, seed), random_dae(TEACHER, seed=seed + 1)


def distiller(method, weight=0.5, *, graph=False, **options):
    """A Distiller, its student and its teacher; for a few steps no graph is worth building."""
    student, teacher = models()
    model = Distiller(
        student, STUDENT.frontend, LOSSES[method], weight=weight, teacher=teacher, **options
    )
    model.compile(optimizer=keras.optimizers.SGD(0.1), run_eagerly=not graph)
    model.optimizer.build(model.learnt_variables)  # else a graph is traced twice
    return model, student, teacher


@pytest.mark.parametrize("method", sorted(LOSSES))
def test_a_step_changes_the_student_and_never_the_teacher(method, batch):
    model, student, teacher = distiller(method)
    before = [w.copy() for w in student.get_weights()]
    frozen = [w.copy() for w in teacher.get_weights()]
    losses = model.train_on_batch(*batch, return_dict=True)
    assert np.isfinite(list(losses.values())).all()
    for old, new in zip(frozen, teacher.get_weights(), strict=True):  # batch statistics included
        np.testing.assert_array_equal(old, new)
    assert any((old != new).any() for old, new in zip(before, student.get_weights(), strict=True))


def test_the_student_runs_once_per_step(batch):
    model, student, _ = distiller("cosine")
    calls = []
    first = student.get_layer("encode0")
    original = first.call

    def counted(*args, **kwargs):
        calls.append(1)
        return original(*args, **kwargs)

    first.call = counted
    model.train_on_batch(*batch)
    assert len(calls) == 1


@pytest.mark.parametrize("method", sorted(set(LOSSES) - {"none"}))
def test_no_gradient_reaches_the_teacher(method, batch):
    model, student, teacher = distiller(method, pretraining_steps=1)
    power = tf.abs(batch[0]) ** 2
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(teacher.variables)
        guidance = model._run_teacher(power)
        losses = model._compute(power, *batch, guidance, training=True)
    assert all(g is None for g in tape.gradient(losses["loss"], teacher.variables))
    gradients = tape.gradient(losses["distillation_loss"], student.trainable_variables)
    assert any(np.abs(g).max() > 0 for g in gradients if g is not None)


def test_two_step_trains_on_the_distance_then_on_the_speech(batch):
    model, student, _ = distiller("two_step", pretraining_steps=2)
    plain, alone, _ = distiller("none")
    decoder = student.get_layer("logits")
    untrained = [w.copy() for w in decoder.get_weights()]
    for step in range(2):
        losses = model.train_on_batch(*batch, return_dict=True, reset_metrics=True)
        assert losses["loss"] == pytest.approx(0.5 * losses["distillation_loss"])
        for old, new in zip(untrained, decoder.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new, err_msg=f"step {step}")
    pretrained = student.get_weights()
    assert any((a != b).any() for a, b in zip(pretrained, alone.get_weights(), strict=True))
    alone.set_weights(pretrained)
    model.train_on_batch(*batch)
    plain.train_on_batch(*batch)
    for a, b in zip(student.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("method", ["attention", "similarity_batch", "similarity_frame", "cka"])
def test_losses_without_a_map_train_no_projection(method):
    model, _, _ = distiller(method)
    assert model.projection is None


def trained(method, batch, **options):
    """The student's weights after three steps as users train: in a graph."""
    model, student, _ = distiller(method, graph=True, **options)
    for _ in range(3):
        model.train_on_batch(*batch)
    return student.get_weights()


def test_weight_zero_is_plain_training_to_the_bit(batch):
    alone = trained("none", batch)
    for method in ("output", "hint", "cosine", "two_step"):
        guided = trained(method, batch, weight=0.0)
        for a, b in zip(alone, guided, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=method)


def test_only_the_projection_joins_the_student_in_training(batch):
    model, student, _ = distiller("cosine")
    before = model.projection.get_weights()[0].copy()
    model.train_on_batch(*batch)
    assert (model.projection.get_weights()[0] != before).any()
    assert "projection" not in {layer.name for layer in student.layers}


def test_cosine_aligns_the_latents(batch):
    model, _, _ = distiller("cosine", weight=5.0, graph=True)
    first = model.train_on_batch(*batch, return_dict=True)["distillation_loss"]
    for _ in range(40):
        last = model.train_on_batch(*batch, return_dict=True, reset_metrics=True)
    assert last["distillation_loss"] < first - 0.05


def test_swapped_models_are_refused():
    student, teacher = models()
    with pytest.raises(ModelError, match="are the two swapped"):
        Distiller(teacher, TEACHER.frontend, LOSSES["cosine"], weight=1.0, teacher=student)


def test_a_teacher_is_needed():
    student, _ = models()
    with pytest.raises(ValueError, match="needs a teacher"):
        Distiller(student, STUDENT.frontend, LOSSES["hint"], weight=1.0)


def test_frames_must_coincide():
    student, teacher = models()
    with pytest.raises(ModelError, match="share sample rate, window and hop"):
        Distiller(
            student,
            STUDENT.frontend,
            LOSSES["hint"],
            teacher=teacher,
            teacher_frontend=FrontEndConfig(bands=16, window=1024, hop=512),
        )


def test_sample_weights_are_refused(batch):
    model, _, _ = distiller("none")
    with pytest.raises(ValueError, match="sample weights are not supported"):
        model.fit(tf.data.Dataset.from_tensors((*batch, tf.ones(2))), verbose=0)


def test_evaluation_changes_nothing(batch):
    model, student, _ = distiller("cosine")
    before = [w.copy() for w in student.get_weights()]
    losses = model.test_on_batch(*batch, return_dict=True)
    assert set(losses) == {"loss", "supervised_loss", "distillation_loss", "latent_cosine"}
    assert losses["latent_cosine"] == pytest.approx(1 - losses["distillation_loss"], rel=1e-6)
    for old, new in zip(before, student.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_average_follows_its_formula(batch):
    model, student, _ = distiller("none", ema=0.999)
    variable, average = student.trainable_variables[0], model.ema_variables[0]
    expected = average.numpy().astype(np.float64)
    for step in range(1, 4):
        model.train_on_batch(*batch)
        decay = min(0.999, (1 + step) / (10 + step))
        expected += (1 - decay) * (variable.numpy() - expected)
    np.testing.assert_allclose(average.numpy(), expected, rtol=1e-5)
    trained = variable.numpy()
    model.swap_average()
    np.testing.assert_allclose(variable.numpy(), expected, rtol=1e-5)
    model.swap_average()
    np.testing.assert_array_equal(variable.numpy(), trained)
