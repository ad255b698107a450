"""The envelope distance against its definition, and that it follows ESTOI."""

import numpy as np
import pytest
from power_spectra import FRONT_END, check_gradients_at_silence, distance_of, random_powers

from tfkd import metrics
from tfkd.config import FrontEndConfig
from tfkd.distill.supervised.envelope import envelope_distance, third_octaves
from tfkd.frontend import stft

distance = distance_of(envelope_distance)


@pytest.fixture
def powers():
    return random_powers()


def test_equals_the_definition_in_one_segment():
    rng = np.random.default_rng(1)
    enhanced, clean = rng.gamma(0.3, 1.0, (2, 24, FRONT_END.bins))
    patterns = []
    for power in (enhanced, clean):
        x = np.sqrt(power / clean.mean() @ third_octaves(FRONT_END) + 1e-6)  # [frames, bands]
        x = x - x.mean(axis=0)
        x = x / np.linalg.norm(x, axis=0)
        x = x - x.mean(axis=1, keepdims=True)
        patterns.append(x / np.linalg.norm(x, axis=1, keepdims=True))
    expected = 1.0 - np.mean(np.sum(patterns[0] * patterns[1], axis=1))
    assert distance(enhanced, clean) == pytest.approx(expected, rel=1e-4)


def test_equal_powers_have_no_distance(powers):
    assert distance(powers, powers) == pytest.approx(0.0, abs=1e-4)


def test_constant_gains_do_not_count(powers):
    """Neither a level nor, with it, any shape over frequency that is constant per band."""
    assert distance(powers * 7.0, powers) == pytest.approx(0.0, abs=1e-3)


def test_follows_estoi():
    from tfkd.audio import read_mono
    from tfkd.data.demo import demo_corpus
    from tfkd.evaluate import find_pairs

    demo = demo_corpus()
    distances, scores = [], []
    for pair in find_pairs(demo.noisy, demo.clean)[:12]:
        clean, noisy = read_mono(pair.clean, 16000), read_mono(pair.noisy, 16000)
        distances.append(
            distance(*(np.abs(stft(waveform, FRONT_END)) ** 2 for waveform in (noisy, clean)))
        )
        scores.append(metrics.estoi(clean, noisy))
    assert np.corrcoef(distances, scores)[0, 1] < -0.95


@pytest.mark.parametrize("clean_level", [0.0, 1.0])
def test_silence_has_finite_gradients(clean_level):
    check_gradients_at_silence(envelope_distance, clean_level)


def test_windows_longer_than_a_segment_have_a_distance():
    """One of 512 ms: a segment of 384 ms is two of its frames."""
    frontend = FrontEndConfig(window=8192, hop=4096)
    drawn = np.random.default_rng(0).gamma(0.3, 1.0, (2, 1, 9, frontend.bins)).astype(np.float32)
    assert 0.0 < float(envelope_distance(drawn[0], drawn[1], frontend)[0]) <= 2.0
    assert float(envelope_distance(drawn[0], drawn[0], frontend)[0]) == pytest.approx(0, abs=1e-4)
