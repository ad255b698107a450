"""Distillation losses against values worked out by hand, and what defines each."""

import numpy as np
import pytest
import tensorflow as tf

from tfkd.distill import LOSSES, Outputs

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
