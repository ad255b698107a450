"""Distillation losses against values worked out by hand, and what defines each."""

import re
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tfkd.distill import LOSSES, Outputs
from tfkd.distill.losses.attention import attention_map

# [batch 1, frames 2, positions 1, channels 2]
STUDENT = np.array([[[[3.0, 4.0]], [[1.0, 0.0]]]], np.float32)
TEACHER = np.array([[[[4.0, 3.0]], [[0.0, 2.0]]]], np.float32)
MASK_S = np.array([[[0.5, 1.0], [0.0, 0.5]]], np.float32)
MASK_T = np.array([[[0.0, 1.0], [1.0, 0.5]]], np.float32)


def distance(name, latent=STUDENT, teacher=TEACHER, axis="frame"):
    return float(
        LOSSES[name].distance(
            Outputs(tf.constant(latent), tf.constant(MASK_S)),
            Outputs(tf.constant(teacher), tf.constant(MASK_T)),
            axis=axis,
        )
    )


def test_none_is_zero():
    assert distance("none") == 0.0


def test_output_by_hand():
    assert distance("output") == pytest.approx((0.25 + 0 + 1 + 0) / 4)


def test_hint_by_hand():
    assert distance("hint") == pytest.approx((1 + 1 + 1 + 4) / 4)


def test_cosine_by_hand():
    # frames: cos = 24 / 25 and 0
    assert distance("cosine") == pytest.approx(1 - (0.96 + 0.0) / 2, abs=1e-6)
    # whole example: inner product 24, norms sqrt(26) and sqrt(29)
    expected = 1 - 24 / np.sqrt(26 * 29)
    assert distance("cosine", axis="example") == pytest.approx(expected, abs=1e-6)
    assert distance("cosine", axis="position") == pytest.approx(distance("cosine"), abs=1e-6)


def test_cosine_ignores_scale_but_not_order():
    assert distance("cosine", STUDENT * 7) == pytest.approx(distance("cosine"), abs=1e-6)
    assert distance("hint", STUDENT * 7) != pytest.approx(distance("hint"), abs=1e-3)
    assert distance("cosine", STUDENT[..., ::-1].copy()) == pytest.approx(0.0, abs=1e-6)


def test_cosine_of_opposite_latents_is_two():
    assert distance("cosine", -TEACHER) == pytest.approx(2.0, abs=1e-6)


def test_cosine_has_a_finite_gradient_at_zero():
    latent = tf.Variable(tf.zeros_like(STUDENT))
    with tf.GradientTape() as tape:
        value = LOSSES["cosine"].distance(
            Outputs(latent, tf.constant(MASK_S)),
            Outputs(tf.constant(TEACHER), tf.constant(MASK_T)),
            axis="frame",
        )
    assert np.isfinite(tape.gradient(value, latent).numpy()).all()


def random_latents(seed=0, batch=3, frames=5, positions=2, channels=(4, 7)):
    """Latents of a student and a teacher with channels of their own."""
    rng = np.random.default_rng(seed)
    shape = (batch, frames, positions)
    return [rng.normal(size=(*shape, c)).astype(np.float32) for c in channels]


def rotation(size, seed=1):
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(size, size)))[0].astype(np.float32)


def test_attention_by_hand():
    # mean squares of the frames: student 12.5, 0.5; teacher 12.5, 2
    a = np.array([12.5, 0.5]) / np.hypot(12.5, 0.5)
    b = np.array([12.5, 2.0]) / np.hypot(12.5, 2.0)
    assert distance("attention") == pytest.approx(np.mean((a - b) ** 2), rel=1e-4)


def test_attention_maps_have_unit_length():
    latent, _ = random_latents()
    attention = attention_map(tf.constant(latent)).numpy()
    assert attention.shape == (3, 10)
    np.testing.assert_allclose(np.linalg.norm(attention, axis=1), 1.0, rtol=1e-6)
    np.testing.assert_allclose(attention_map(tf.constant(-3 * latent)), attention, rtol=1e-5)


def test_similarity_batch_by_hand():
    # two examples of one frame: student (1, 0), (1, 1); teacher (1, 0), (0, 2)
    student = np.array([[1, 0], [1, 1]], np.float32).reshape(2, 1, 1, 2)
    teacher = np.array([[1, 0], [0, 2]], np.float32).reshape(2, 1, 1, 2)
    # S S' = [[1, 1], [1, 2]], T T' = [[1, 0], [0, 4]]; rows to unit length
    s = np.array([[1, 1], [1, 2]]) / np.sqrt([[2], [5]])
    expected = np.sum((s - np.eye(2)) ** 2) / 4
    assert distance("similarity_batch", student, teacher) == pytest.approx(expected, rel=1e-5)
    assert distance("similarity_frame", student, teacher) == pytest.approx(expected, rel=1e-5)
    assert distance("two_step", student, teacher) == pytest.approx(expected, rel=1e-5)


def test_similarity_frame_is_the_mean_over_frames():
    student, teacher = random_latents()
    frames = [
        distance("similarity_batch", student[:, t : t + 1], teacher[:, t : t + 1]) for t in range(5)
    ]
    assert distance("similarity_frame", student, teacher) == pytest.approx(np.mean(frames))
    assert distance("similarity_batch", student, teacher) != pytest.approx(np.mean(frames))


@pytest.mark.parametrize("name", ["similarity_batch", "similarity_frame"])
def test_similarity_is_free_of_dimension(name):
    student, teacher = random_latents()
    assert distance(name, student, teacher) > 1e-3
    # the same similarities in more dimensions, rotated and scaled: nothing to learn
    wider = np.concatenate([3 * student, np.zeros_like(student)], axis=-1) @ rotation(8)
    assert distance(name, student, wider) == pytest.approx(0.0, abs=1e-10)


def test_cka_by_hand():
    # centred columns are half the difference of the frames: student (1, 2), teacher (2, 0.5), +-
    # one direction each: fully aligned
    assert distance("cka") == pytest.approx(0.0, abs=1e-6)
    # student rows 1, -1, 0 and teacher rows 1, 1, -2: S'T = 0
    student = np.array([1, -1, 0], np.float32).reshape(1, 3, 1, 1)
    teacher = np.array([1, 1, -2], np.float32).reshape(1, 3, 1, 1)
    assert distance("cka", student, teacher) == pytest.approx(1.0)
    # teacher rows 1, 0, -1: S'T = 1, S'S = 2, T'T = 2
    teacher = np.array([1, 0, -1], np.float32).reshape(1, 3, 1, 1)
    assert distance("cka", student, teacher) == pytest.approx(1 - 1 / 4)


def test_cka_ignores_rotation_order_scale_and_offset():
    student, teacher = random_latents()
    expected = distance("cka", student, teacher)
    assert 0.05 < expected < 0.99
    for same in (student @ rotation(4), student[..., ::-1].copy(), 5 * student, student + 2):
        assert distance("cka", same, teacher) == pytest.approx(expected, abs=1e-5)
    assert distance("cka", student, teacher @ rotation(7)) == pytest.approx(expected, abs=1e-5)
    stretched = student * np.array([5, 1, 1, 1], np.float32)
    assert distance("cka", stretched, teacher) != pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", ["attention", "similarity_batch", "similarity_frame", "cka"])
def test_equal_latents_have_no_distance_and_a_zero_latent_a_finite_gradient(name):
    student, teacher = random_latents()
    assert distance(name, student, student) == pytest.approx(0.0, abs=1e-6)
    latent = tf.Variable(tf.zeros_like(student))
    with tf.GradientTape() as tape:
        value = LOSSES[name].distance(
            Outputs(latent, tf.constant(MASK_S)),
            Outputs(tf.constant(teacher), tf.constant(MASK_T)),
            axis="frame",
        )
    assert np.isfinite(tape.gradient(value, latent).numpy()).all()


def test_two_step_total_by_hand():
    supervised, far = tf.constant(2.0), tf.constant(8.0)
    total = LOSSES["two_step"].total
    assert float(total(supervised, far, 0.25, pretrains=True)) == 2.0
    assert float(total(supervised, far, 0.5, pretrains=True)) == 4.0
    assert float(total(supervised, far, 0.5, pretrains=False)) == 2.0
    assert float(total(supervised, far, 0.0, pretrains=True)) == 2.0


def test_unknown_axis():
    with pytest.raises(ValueError, match="Expected one of .* Received: axis=channel"):
        distance("cosine", axis="channel")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("none", 2.0), ("output", 0.75 * 2 + 0.25 * 8), ("hint", 4.0), ("cosine", 4.0)],
)
def test_total(name, expected):
    total = LOSSES[name].total(tf.constant(2.0), tf.constant(8.0), 0.25)
    assert float(total) == expected


def test_the_documented_methods_are_those_that_there_are():
    page = Path(__file__).parents[3] / "docs" / "study" / "README.md"
    table = page.read_text().split("## The methods")[1].split("\n## ")[0]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == list(LOSSES)
