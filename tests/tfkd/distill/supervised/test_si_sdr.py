"""The SI-SDR of masked spectra against that of their waveforms."""

import numpy as np
import pytest
import tensorflow as tf

from tfkd import metrics
from tfkd.config import FrontEndConfig
from tfkd.distill.supervised.si_sdr import negative_si_sdr
from tfkd.frontend import istft, stft

FRONT_END = FrontEndConfig()


@pytest.fixture
def waveforms():
    rng = np.random.default_rng(0)
    clean = rng.normal(size=16384).astype(np.float32)
    return clean, (clean + 0.5 * rng.normal(size=16384)).astype(np.float32)


def loss(mask, noisy, clean):
    spectra = [stft(waveform, FRONT_END)[np.newaxis] for waveform in (noisy, clean)]
    return float(negative_si_sdr(tf.constant(mask, tf.float32), *map(tf.constant, spectra))[0])


def test_is_the_si_sdr_of_the_waveforms(waveforms):
    """A mask that is smooth over time and frequency: overlap-add takes little from it."""
    clean, noisy = waveforms
    frames, bins = stft(noisy, FRONT_END).shape
    mask = 0.6 + 0.3 * np.cos(np.arange(frames)[:, None] / 9) * np.cos(np.arange(bins) / 60)
    enhanced = istft((mask * stft(noisy, FRONT_END)).astype(np.complex64), 16384, FRONT_END)
    assert loss(mask[None], noisy, clean) == pytest.approx(
        -metrics.si_sdr(clean, enhanced), abs=0.1
    )


def test_no_level_counts(waveforms):
    clean, noisy = waveforms
    mask = np.ones((1, *stft(noisy, FRONT_END).shape))
    assert loss(0.5 * mask, noisy, clean) == pytest.approx(
        loss(mask, noisy, clean), abs=0.1
    )  # the ceiling's part
    assert loss(mask, 1e-2 * noisy, 1e-2 * clean) == pytest.approx(
        loss(mask, noisy, clean), abs=1e-2
    )


def test_is_limited_at_both_ends(waveforms):
    clean, noisy = waveforms
    mask = np.ones((1, *stft(noisy, FRONT_END).shape))
    assert loss(mask, clean, clean) == pytest.approx(-30.0, abs=0.1)
    assert loss(0.0 * mask, noisy, clean) == pytest.approx(30.0, abs=0.1)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_silence_has_finite_gradients(waveforms, level):
    clean, noisy = (stft(level * waveform, FRONT_END)[np.newaxis] for waveform in waveforms)
    mask = tf.Variable(tf.zeros(clean.shape))
    with tf.GradientTape() as tape:
        value = negative_si_sdr(mask, tf.constant(noisy), tf.constant(clean))
    assert np.isfinite(value.numpy()).all()
    assert np.isfinite(tape.gradient(value, mask).numpy()).all()
