"""The TensorFlow front end equals the NumPy one."""

import numpy as np
import pytest
import tensorflow as tf

from tfkd import frontend, frontend_tf
from tfkd.config import FrontEndConfig

CONFIGS = [
    FrontEndConfig(),
    FrontEndConfig(
        sample_rate=8000, window=256, hop=128, bands=32, floor_db=-80, ceiling_db=30, least_gain=0.1
    ),
    FrontEndConfig(bands=80, highest_hz=7400),
]


@pytest.fixture
def waveforms() -> np.ndarray:
    return (0.1 * np.random.default_rng(0).standard_normal((3, 4000))).astype(np.float32)


@pytest.mark.parametrize("config", CONFIGS)
@pytest.mark.parametrize("samples", [3840, 3999, 4000])
def test_stft(config, samples, waveforms):
    expected = np.stack([frontend.stft(row, config) for row in waveforms[:, :samples]])
    spectra = frontend_tf.stft(waveforms[:, :samples], config).numpy()
    assert spectra.shape[1] == frontend_tf.frame_count(samples, config)
    np.testing.assert_allclose(spectra, expected, atol=1e-5)


@pytest.mark.parametrize("config", CONFIGS)
def test_istft_returns_every_sample(config, waveforms):
    spectra = frontend_tf.stft(waveforms, config)
    np.testing.assert_allclose(
        frontend_tf.istft(spectra, waveforms.shape[1], config), waveforms, atol=1e-6
    )


@pytest.mark.parametrize("config", CONFIGS)
def test_band_features_and_bin_mask(config):
    generator = np.random.default_rng(1)
    # 160 dB of bin powers: below the floor, inside the range and above the ceiling.
    amplitude = 10.0 ** generator.uniform(-4.5, 3.5, (2, 5, config.bins))
    spectra = amplitude.astype(np.complex64)
    np.testing.assert_allclose(
        frontend_tf.band_features(spectra.real**2, config),
        frontend.band_features(spectra, config),
        atol=1e-5,  # one part in 2e5 of the range: 0.0006 dB
    )
    mask = generator.uniform(0, 1, (2, 5, config.bands)).astype(np.float32)
    np.testing.assert_allclose(
        frontend_tf.bin_mask(mask, config), frontend.bin_mask(mask, config), atol=1e-6
    )


def test_silence_maps_to_the_floor():
    config = FrontEndConfig()
    features = frontend_tf.band_features(tf.zeros([1, 1, config.bins]), config).numpy()
    np.testing.assert_array_equal(features, -1.0)


def test_stft_names_the_shape_it_cannot_frame():
    @tf.function(input_signature=[tf.TensorSpec([1, None])])
    def dynamic(waveforms):
        return frontend_tf.stft(waveforms, FrontEndConfig())

    with pytest.raises(ValueError, match=r"static number of samples.*\(1, None\)"):
        dynamic(tf.zeros([1, 512]))
