"""Mixtures: reproducible, resumable, and as loud and as noisy as the configuration says."""

import numpy as np
import pytest
import tensorflow as tf

from tfkd import frontend
from tfkd.config import DataConfig, FrontEndConfig
from tfkd.data import mixing, spectral
from tfkd.data.augment import ROOM_S
from tfkd.data.batches import batches as numbered
from tfkd.data.corpus import read_corpus
from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws
from tfkd.data.mixing import mixture_batch, speech_samples

FRONTEND = FrontEndConfig()
RATE = FRONTEND.sample_rate
SEGMENT_S = 1.0
EVERYTHING = DataConfig(
    segment_s=SEGMENT_S, babble=0.3, synthetic=0.3, second_noise=0.5, reverb=0.5, speed=0.5
)
PLAIN = {
    "segment_s": SEGMENT_S,
    "babble": 0.0,
    "synthetic": 0.0,
    "second_noise": 0.0,
    "speed": 0.0,
    "clean_fraction": 0.0,
}


@pytest.fixture(scope="module")
def stores(corpus):
    sizes = {
        "speech": (speech_samples(EVERYTHING, FRONTEND), "pad"),
        "noise": (round(SEGMENT_S * RATE), "loop"),
        "rir": (round(ROOM_S * RATE), "pad"),
    }
    return [
        ClipStore(
            read_corpus(corpus / name).train,
            RATE,
            samples=samples,
            short=short,
            memory_bytes=1 << 28,
        )
        for name, (samples, short) in sizes.items()
    ]


def take(stores, data=EVERYTHING, *, seed=0, start_step=0, steps=3, batch=8):
    dataset = numbered(
        lambda seed: mixture_batch(*stores, data, FRONTEND, batch=batch, seed=seed),
        seed=seed,
        start_step=start_step,
        steps=steps,
    )
    return [(noisy.numpy(), clean.numpy()) for noisy, clean in dataset]


@pytest.fixture(scope="module")
def batches(stores):
    return take(stores)


def test_shapes(batches):
    assert len(batches) == 3
    for noisy, clean in batches:
        assert noisy.shape == clean.shape == (8, 64, 257)  # ceil(16000 / 256) + 1 frames
        assert noisy.dtype == clean.dtype == np.complex64
        assert np.isfinite(noisy).all() and np.isfinite(clean).all()


def test_same_seed_same_batches(stores, batches):
    np.testing.assert_array_equal(take(stores), batches)


def test_every_batch_is_new(batches):
    assert not np.array_equal(batches[0], batches[1])


def test_resuming_yields_what_would_have_come(stores, batches):
    np.testing.assert_array_equal(take(stores, start_step=2, steps=1), batches[2:])


def waveforms(spectra):
    samples = round(SEGMENT_S * RATE)
    return np.stack([frontend.istft(one, samples, FRONTEND) for one in spectra])


def active_power(waveform):
    """Mean power of 20 ms frames within 35 dB of the 95th percentile, as the pairs define it."""
    frames = waveform[: len(waveform) // 320 * 320].reshape(-1, 320)
    power = np.mean(frames.astype(np.float64) ** 2, axis=1)
    return power[power > np.percentile(power, 95) * 10**-3.5].mean()


@pytest.mark.parametrize("snr_db", [-5.0, 15.0])
def test_snr_and_level_are_as_drawn(stores, monkeypatch, snr_db):
    monkeypatch.setattr(mixing, "NOISE_ONLY", 0.0)
    data = DataConfig(**PLAIN, snr_db=(snr_db, snr_db), level_dbfs=(-25.0, -25.0))
    (noisy, clean), *_ = take(stores, data, steps=1, batch=16)
    measured_snr, measured_level = [], []
    for speech, noise in zip(waveforms(clean), waveforms(noisy - clean), strict=True):
        power = active_power(speech)
        measured_level.append(10 * np.log10(power))
        measured_snr.append(10 * np.log10(power / np.mean(noise.astype(np.float64) ** 2)))
    # Frames of 20 ms against the STFT's 32 ms differ at the ends of words.
    np.testing.assert_allclose(measured_snr, snr_db, atol=0.8)
    np.testing.assert_allclose(measured_level, -25.0, atol=0.8)
    assert np.mean(measured_snr) == pytest.approx(snr_db, abs=0.4)


def test_almost_clean_examples(stores, monkeypatch):
    monkeypatch.setattr(mixing, "NOISE_ONLY", 0.0)
    data = DataConfig(**PLAIN | {"clean_fraction": 1.0})
    (noisy, clean), *_ = take(stores, data, steps=1)
    ratio = np.sum(np.abs(clean) ** 2, axis=(1, 2)) / np.sum(
        np.abs(noisy - clean) ** 2, axis=(1, 2)
    )
    assert (10 * np.log10(ratio) > 34).all()  # pauses take up to 6 dB from the active level


def test_noise_alone(stores, monkeypatch):
    monkeypatch.setattr(mixing, "NOISE_ONLY", 1.0)
    (noisy, clean), *_ = take(stores, steps=1)
    assert (clean == 0).all()
    assert (np.abs(noisy).max(axis=(1, 2)) > 0).all()


def test_babble_is_made_of_other_speakers(stores):
    speech = stores[0]
    speakers = tf.constant([0, 1, 2, 3], tf.int32)
    draws = Draws(tf.constant([0, 0], tf.int64), 4)
    babble = mixing._babble(speech, speakers, draws).numpy()
    for row, own in enumerate(100.0 + 20.0 * np.arange(4)):
        spectrum = np.abs(np.fft.rfft(babble[row] * np.hanning(babble.shape[1])))
        bins = {pitch: round(pitch * babble.shape[1] / RATE) for pitch in np.arange(100.0, 201, 20)}
        lines = {pitch: spectrum[at - 1 : at + 2].max() for pitch, at in bins.items()}
        assert lines[own] < 0.1 * max(lines.values())
        assert sum(line > 0.2 * max(lines.values()) for line in lines.values()) >= 2


def test_active_power_by_hand():
    power = tf.constant([[1.0] * 10 + [0.0] * 10, [4.0] * 10 + [1e-4] * 10])
    np.testing.assert_allclose(spectral.active_power(power), [1.0, 4.0])
    assert spectral.active_power(tf.zeros([1, 20])).numpy() == 0.0


def test_frame_power_is_the_signals_power():
    waveform = np.random.default_rng(0).standard_normal((1, 256 * 63)).astype(np.float32)
    parts = spectral.as_floats(tf.constant(frontend.stft(waveform[0], FRONTEND)[np.newaxis]))
    power = spectral.frame_power(parts, tf.ones([1, 514]), FRONTEND)
    total = 256 * np.sum(power)
    assert total == pytest.approx(np.sum(waveform**2), rel=1e-5)


def test_gain_to_a_level():
    gain = spectral.gain_to(tf.constant([-20.0, -20.0]), tf.constant([1e-4, 0.0])).numpy()
    np.testing.assert_allclose(gain, [10.0, 0.0], rtol=1e-6)


def test_equaliser_stays_within_its_range():
    draws = Draws(tf.constant([0, 0], tf.int64), 500)
    decibels = 20 * np.log10(spectral.random_equaliser(draws, 6.0, FRONTEND))
    assert decibels.shape == (500, 514)
    assert 4.0 < np.abs(decibels).max() <= 6.0
    np.testing.assert_array_equal(decibels[:, ::2], decibels[:, 1::2])  # real and imaginary


def test_device_and_movement_leave_the_other_rows_alone():
    draws = Draws(tf.constant([0, 0], tf.int64), 2)
    chosen = tf.constant([True, False])
    device = spectral.band_limit(draws, chosen, FRONTEND).numpy()
    assert device[0].max() == 1.0 and device[0, -1] < 0.01 and (device[1] == 1.0).all()
    many = Draws(tf.constant([0, 1], tf.int64), 2000)
    passed = spectral.band_limit(many, tf.fill([2000], True), FRONTEND).numpy()[:, ::2] == 1.0
    hz = np.linspace(0.0, 8000.0, 257)
    lower, upper = hz[passed.argmax(axis=1)], hz[256 - passed[:, ::-1].argmax(axis=1)]
    assert 350.0 < lower.max() < 440.0 and 3160.0 < upper.min() < 3300.0
    assert 0.37 < (lower < 63.0).mean() < 0.42  # sqrt(62.5 / 400)
    assert 0.38 < (upper > 7200.0).mean() < 0.44  # sqrt(800 / 4800)
    movement = 20 * np.log10(spectral.moving_gain(draws, chosen, 400, FRONTEND))
    assert 1.0 < np.ptp(movement[0]) <= 20.0 and (movement[1] == 0.0).all()
