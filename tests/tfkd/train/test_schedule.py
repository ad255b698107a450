"""Warm-up, cosine, and what is not decayed."""

import pytest

from tfkd.train.phase import Schedule
from tfkd.train.schedule import cosine_adamw


def test_rate_rises_then_falls_to_zero():
    optimizer = cosine_adamw(steps=100, learning_rate=0.5, warmup_steps=10)
    rate = optimizer._learning_rate
    assert float(rate(0)) == pytest.approx(0.0)
    assert float(rate(5)) == pytest.approx(0.25)
    assert float(rate(10)) == pytest.approx(0.5)
    assert float(rate(55)) == pytest.approx(0.25, abs=1e-6)
    assert float(rate(100)) == pytest.approx(0.0, abs=1e-6)


def test_warmup_is_at_most_half_of_a_short_schedule():
    rate = cosine_adamw(steps=10, learning_rate=1.0, warmup_steps=100)._learning_rate
    assert float(rate(5)) == pytest.approx(1.0)


@pytest.mark.parametrize(("steps", "epochs"), [(1, 1), (250, 1), (251, 2), (500, 2)])
def test_epochs_cover_the_steps(steps, epochs):
    assert Schedule(steps, 250).epochs == epochs
