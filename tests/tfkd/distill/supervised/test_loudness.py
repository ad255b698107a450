"""The loudness distance: its definition on hand-made powers, and that it follows PESQ."""

import numpy as np
import pytest
from power_spectra import FRONT_END, check_gradients_at_silence, distance_of, random_powers

from tfkd import metrics
from tfkd.distill.supervised.loudness import CLEAN_POWER, hearing_scale, loudness_distance
from tfkd.frontend import stft

distance = distance_of(loudness_distance)


@pytest.fixture
def powers():
    return random_powers()


def test_equals_the_definition_in_one_band():
    """A tone of one bin, a frame of which has lost a quarter of its power among the bands."""
    hearing = hearing_scale(FRONT_END)
    clean = np.zeros((2, FRONT_END.bins))
    clean[:, 8] = clean[:, 80] = 1.0
    enhanced = clean.copy()
    enhanced[1, 80] = 0.0

    p_clean = clean @ hearing.matrix * CLEAN_POWER / 2.0
    p_enhanced = enhanced @ hearing.matrix * CLEAN_POWER / 2.0
    audible = np.where(p_clean > hearing.threshold, p_clean, 0.0).sum(1)

    def loudness(power):
        t, e = hearing.threshold, hearing.exponent
        return np.maximum(0.1866 * (2 * t) ** e * ((0.5 + 0.5 * power / t) ** e - 1), 0)

    l_clean, l_enhanced = loudness(p_clean), loudness(p_enhanced)
    d = np.maximum(np.abs(l_enhanced - l_clean) - 0.25 * np.minimum(l_enhanced, l_clean), 0)
    h = ((p_enhanced + 50) / (p_clean + 50)) ** 1.2
    h = np.where(h < 3, 0, np.minimum(h, 12))
    weight = ((audible + 1e5) / 1e7) ** 0.04
    total = 0.1 * np.minimum(np.sqrt((d**2 * hearing.width).sum(1)) / weight, 45)
    total += 0.08 * np.minimum((d * h * hearing.width).sum(1) / weight, 45)
    assert distance(enhanced, clean) == pytest.approx(total.mean(), rel=1e-4)
    assert total.mean() > 0.1


def test_equal_powers_have_no_distance(powers):
    assert distance(powers, powers) == pytest.approx(0.0, abs=1e-5)


def test_depends_on_no_common_level(powers):
    worse = powers * 0.5 + 0.2
    assert distance(worse * 1e-4, powers * 1e-4) == pytest.approx(distance(worse, powers), rel=1e-3)


def test_added_sound_counts_for_more_than_missing_sound(powers):
    gaps = powers * (np.arange(len(powers))[:, None] % 2)
    assert distance(powers, gaps) > 2.0 * distance(gaps, powers)


def test_follows_pesq():
    """Over noise of many levels, and over masks of many strengths: correlation at least .9."""
    from tfkd.audio import read_mono
    from tfkd.data.demo import demo_corpus
    from tfkd.evaluate import find_pairs
    from tfkd.frontend import istft

    demo = demo_corpus()
    distances, scores = [], []
    for pair in find_pairs(demo.noisy, demo.clean)[:6]:
        clean, noisy = read_mono(pair.clean, 16000)[:48000], read_mono(pair.noisy, 16000)[:48000]
        s, x = stft(clean, FRONT_END), stft(noisy, FRONT_END)
        wiener = np.abs(s) ** 2 / (np.abs(s) ** 2 + np.abs(x - s) ** 2 + 1e-12)
        for exponent in (0.0, 0.1, 0.3, 1.0):
            enhanced = (wiener**exponent * x).astype(np.complex64)
            waveform = istft(enhanced, len(clean), FRONT_END)
            distances.append(distance(np.abs(enhanced) ** 2, np.abs(s) ** 2))
            scores.append(metrics.pesq_wb(clean, waveform))
    assert np.corrcoef(distances, np.log(np.array(scores) - 0.9))[0, 1] < -0.9


@pytest.mark.parametrize("clean_level", [0.0, 1.0])
def test_silence_has_finite_gradients(clean_level):
    check_gradients_at_silence(loudness_distance, clean_level)
