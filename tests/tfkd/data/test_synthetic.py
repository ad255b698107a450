"""Synthetic noises have the spectra and envelopes that they are named for."""

import numpy as np
import pytest
import tensorflow as tf

from tfkd.data.draws import COLUMNS, Draws
from tfkd.data.synthetic import coloured_noise, hum, impulses, modulation, synthetic_noise

RATE = 16000


def seed(*numbers):
    return tf.constant(numbers, tf.int64)


def density_db(waveform, size=1024):
    frames = waveform[: len(waveform) // size * size].reshape(-1, size) * np.hanning(size)
    return 10 * np.log10((np.abs(np.fft.rfft(frames)) ** 2).mean(axis=0))


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_coloured_noise_falls_by_its_slope(slope):
    white = tf.random.stateless_normal([1, 64000], [1, 2])
    low = tf.constant([0.0025])  # 20 Hz; below it brown noise has most of its power
    noise = coloured_noise(white, tf.constant([slope]), low, tf.ones([1]))[0].numpy()
    assert np.mean(noise**2) == pytest.approx(1.0, rel=0.3)
    density = density_db(noise)
    octaves = np.log2(np.arange(8, 512) / 8)
    fitted = np.polyfit(octaves, density[8:512], 1)[0]
    assert fitted == pytest.approx(-3.01 * slope, abs=0.2)  # dB per octave


def test_coloured_noise_keeps_to_its_band():
    white = tf.random.stateless_normal([1, 64000], [1, 2])
    density = density_db(
        coloured_noise(white, tf.zeros([1]), tf.constant([0.25]), tf.constant([0.5]))[0].numpy()
    )
    inside, outside = density[140:246].mean(), density[300:500].mean()
    assert inside - outside == pytest.approx(40.0, abs=1.0)


def test_modulation():
    time_s = tf.range(RATE, dtype=tf.float32)[tf.newaxis] / RATE
    envelope = modulation(tf.constant([4.0]), tf.constant([0.5]), tf.zeros([1]), time_s)[0].numpy()
    assert (envelope.min(), envelope.max()) == pytest.approx((0.5, 1.5), abs=1e-4)
    assert envelope[RATE // 16] == pytest.approx(1.5, abs=1e-4)  # a quarter of a period


def test_hum_has_its_harmonics():
    time_s = tf.range(RATE, dtype=tf.float32)[tf.newaxis] / RATE
    wave = hum(tf.constant([100.0]), tf.constant([1.0]), tf.zeros([1, 3]), time_s)[0].numpy()
    lines = 2 * np.abs(np.fft.rfft(wave)) / RATE
    np.testing.assert_allclose(lines[[100, 200, 300]], [1, 1 / 2, 1 / 3], atol=1e-3)
    assert np.sum(lines > 1e-2) == 3


def test_impulses_come_as_often_as_asked():
    white = tf.random.stateless_normal([1, 10 * RATE], [3, 4])
    bursts = impulses(white, tf.constant([5.0]), tf.constant([0.001]), RATE)[0].numpy()
    loud = np.abs(bursts) > 0.05
    count = np.sum(np.diff(np.flatnonzero(loud)) > 0.01 * RATE) + 1
    assert 30 <= count <= 70  # 50 expected
    assert np.mean(loud) < 0.05


def test_synthetic_noise_is_a_function_of_its_seed():
    one, same, other = (
        synthetic_noise(Draws(seed(0, number), 16), 8000, RATE).numpy() for number in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    assert np.isfinite(one).all()
    assert (np.abs(one).max(axis=1) > 0).all()
    assert not np.array_equal(one, other)


def test_draws_are_independent_and_in_range():
    draws = Draws(seed(0, 0), 1000)
    first, second = draws.uniform(-5.0, 20.0).numpy(), draws.uniform(-5.0, 20.0).numpy()
    assert -5 <= first.min() < -4.8 and 19.8 < first.max() <= 20
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.1
    assert np.mean(draws.chance(0.25)) == pytest.approx(0.25, abs=0.05)
    child = draws.child(1, 1000).uniform(-5.0, 20.0).numpy()
    assert abs(np.corrcoef(first, child)[0, 1]) < 0.1


def test_draws_run_out():
    draws = Draws(seed(0, 0), 2)
    draws.fraction(COLUMNS)
    with pytest.raises(ValueError, match=rf"More than COLUMNS \(={COLUMNS}\)"):
        draws.fraction()
