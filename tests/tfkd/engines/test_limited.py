"""A limit of the attenuation: what is left is the noisy signal, quieter, in phase."""

import numpy as np
import pytest
from conftest import noisy_voice

from tfkd.engines.choice import engine_factory
from tfkd.engines.limited import LimitedEngine, least_gain
from tfkd.enhance import enhance
from tfkd.verify import speech_like_features


@pytest.fixture
def engine(gate):
    return engine_factory("firmware-ref", gate)()


def test_decibels_to_gain():
    assert least_gain(0.0) == 1.0
    assert least_gain(20.0) == pytest.approx(0.1)
    assert least_gain(float("inf")) == 0.0


@pytest.mark.parametrize("decibels", [-1.0, float("nan")])
def test_an_amplification_is_refused(engine, decibels):
    with pytest.raises(ValueError, match="expected an attenuation of 0 dB or more"):
        LimitedEngine(engine, decibels)


def test_masks_are_the_engines(engine):
    features = speech_like_features(engine.frontend, 20, seed=2)
    limited = LimitedEngine(engine, 12.0)
    masks = limited.run(features)
    assert limited.frontend.least_gain == least_gain(12.0)
    limited.reset()
    np.testing.assert_array_equal(np.stack([limited.step(frame) for frame in features]), masks)
    engine.reset()
    np.testing.assert_array_equal(engine.run(features), masks)


def test_the_noisy_signal_lies_under_the_enhanced_one(engine):
    noisy = noisy_voice(1.0)[:, 0]
    enhanced = enhance(engine, noisy)
    limited = enhance(LimitedEngine(engine, 20.0), noisy)
    np.testing.assert_allclose(limited, 0.1 * noisy + 0.9 * enhanced, atol=1e-5)
    np.testing.assert_allclose(enhance(LimitedEngine(engine, 0.0), noisy), noisy, atol=1e-5)


def test_without_a_limit_or_with_an_infinite_one_nothing_changes(gate, engine):
    noisy = noisy_voice(1.0)[:, 0]
    endless = engine_factory("firmware-ref", gate, float("inf"))()
    np.testing.assert_array_equal(enhance(endless, noisy), enhance(engine, noisy))
