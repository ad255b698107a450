"""Speed, rooms and clipped peaks change the chosen rows, in place and by the right amount."""

from functools import partial

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tfkd.data.augment import (
    SPEEDS,
    align_direct,
    change_speed,
    clip_peaks,
    convolve_rooms,
    speed_source_samples,
)
from tfkd.data.corpus import read_clip
from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws
from tfkd.data.rows import replace_rows

SAMPLES = 8000
RATE = 16000


def test_replace_rows():
    values = tf.constant([[1.0], [2.0], [3.0]])
    doubled = replace_rows(
        values, tf.constant([True, False, True]), lambda rows: 2.0 * tf.gather_nd(values, rows)
    )
    np.testing.assert_array_equal(doubled, [[2.0], [2.0], [6.0]])
    same = replace_rows(values, tf.zeros([3], tf.bool), lambda rows: tf.gather_nd(values, rows) / 0)
    np.testing.assert_array_equal(same, values)


def test_where_no_row_can_be_chosen_nothing_is_built():
    values = tf.ones((3, 2))
    draws = Draws(tf.constant([0, 0], tf.int64), 3)

    @partial(tf.function, autograph=False)
    def never(numbers):
        chosen = tf.zeros([3], tf.bool)
        return replace_rows(numbers, chosen, lambda rows: pytest.fail("was built"))

    np.testing.assert_array_equal(never(values), values)
    assert not draws.chance(0.0).numpy().any()
    # and what is drawn after it stays the same
    np.testing.assert_array_equal(
        draws.fraction(), Draws(tf.constant([0, 0], tf.int64), 3).fraction(2)[:, 1]
    )


@pytest.mark.parametrize("fraction", [0.0, 0.5, 0.999])
def test_change_speed_shifts_a_tone_and_keeps_its_level(fraction):
    source = speed_source_samples(SAMPLES)
    tone = 0.1 * np.sin(2 * np.pi * 1000 / RATE * np.arange(source)).astype(np.float32)
    changed = change_speed(
        tf.constant(np.stack([tone, tone])),
        tf.constant([False, True]),
        tf.constant(fraction, tf.float64),
        SAMPLES,
    ).numpy()
    np.testing.assert_array_equal(changed[0], tone[:SAMPLES])
    spectrum = np.abs(np.fft.rfft(changed[1] * np.hanning(SAMPLES), 16 * SAMPLES))
    speed = np.argmax(spectrum) * RATE / (16 * SAMPLES) / 1000
    assert speed == pytest.approx(SPEEDS[0] + fraction * (SPEEDS[1] - SPEEDS[0]), abs=0.03)
    assert np.std(changed[1]) == pytest.approx(np.std(tone), rel=0.01)
    # A pure tone at that speed, from the first to the last sample: no trace of the FFT's edges.
    time = np.arange(SAMPLES)
    basis = np.exp(2j * np.pi * speed * 1000 / RATE * time)
    amplitude = np.abs((changed[1] * basis.conj()).reshape(10, -1).mean(axis=1)) * 2
    np.testing.assert_allclose(amplitude, 0.1, rtol=0.02)


def room(tmp_path, response):
    soundfile.write(tmp_path / "room.wav", response, RATE, subtype="FLOAT")
    clips = [read_clip(tmp_path / "room.wav")]
    return ClipStore(clips, RATE, samples=1600, short="pad", memory_bytes=1 << 20)


def test_rooms_keep_the_direct_sound_in_place(tmp_path):
    response = np.zeros(800)
    response[40] = 0.5  # 2.5 ms of delay, as in recorded responses
    response[140] = -0.25
    waveforms = np.random.default_rng(0).standard_normal((2, SAMPLES)).astype(np.float32)
    wet = convolve_rooms(
        tf.constant(waveforms),
        tf.constant([True, False]),
        room(tmp_path, response),
        Draws(tf.constant([0, 0], tf.int64), 2),
    ).numpy()
    echo = np.roll(waveforms[0], 100)
    expected = waveforms[0] - 0.5 * echo
    gain = np.std(wet[0]) / np.std(expected)  # responses have no particular level
    np.testing.assert_allclose(wet[0] / gain, expected, atol=1e-3)
    np.testing.assert_array_equal(wet[1], waveforms[1])


def test_direct_sound_is_the_first_not_the_loudest():
    response = np.zeros((1, 400), np.float32)
    response[0, 30], response[0, 200] = 0.4, 0.9
    aligned = align_direct(tf.constant(response)).numpy()
    assert aligned[0, 0] == np.float32(0.4) and aligned[0, 170] == np.float32(0.9)


def test_clip_peaks():
    wave = np.array([[0.1, -0.5, 1.0], [0.1, -0.5, 1.0]], np.float32)
    clipped = clip_peaks(tf.constant(wave), tf.constant([True, False]), tf.constant([0.25, 0.25]))
    np.testing.assert_allclose(clipped, [[0.1, -0.25, 0.25], [0.1, -0.5, 1.0]])
