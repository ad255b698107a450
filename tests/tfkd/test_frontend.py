"""Bands, features and samples by hand; the fixed order of additions against matrices."""

import numpy as np
import pytest

from tfkd.config import FrontEndConfig
from tfkd.frontend import (
    band_features,
    band_matrix,
    band_power,
    band_weights,
    bin_mask,
    feature_matrix,
    heard_bands,
    istft,
    log_features,
    stft,
    to_int16,
)

CONFIGS = [
    FrontEndConfig(),
    FrontEndConfig(sample_rate=8000, window=160, hop=80, bands=20),
    FrontEndConfig(window=64, hop=32, bands=33),  # a band for every bin
    FrontEndConfig(bands=80, highest_hz=7400),
]


def spectra_of(config, frames=4):
    rng = np.random.default_rng(0)
    parts = rng.standard_normal((2, frames, config.bins)).astype(np.float32)
    return (parts[0] + 1j * parts[1]).astype(np.complex64)


@pytest.mark.parametrize("config", CONFIGS)
def test_bands_overlap_and_share_every_bin(config):
    band, lower, upper = band_weights(config)
    np.testing.assert_allclose(lower + upper, 1.0, atol=1e-7)
    assert band[0] == 0 and band[-1] == config.bands - 2
    assert (np.diff(band) >= 0).all()
    np.testing.assert_array_equal(band_matrix(config)[np.arange(config.bins), band], lower)


@pytest.mark.parametrize("config", CONFIGS)
def test_sums_and_interpolation_are_the_matrix_products(config):
    spectra = spectra_of(config)
    matrix = band_matrix(config).astype(np.float64)
    power = np.abs(spectra.astype(complex)) ** 2
    np.testing.assert_allclose(
        band_power(spectra, config), power @ feature_matrix(config), rtol=1e-6
    )
    if config.highest_hz is None:
        np.testing.assert_array_equal(feature_matrix(config), matrix)
    mask = np.random.default_rng(1).uniform(0, 1, (4, config.bands)).astype(np.float32)
    np.testing.assert_allclose(bin_mask(mask, config), mask @ matrix.T, rtol=1e-6)
    np.testing.assert_allclose(bin_mask(np.ones_like(mask), config), 1.0, rtol=1e-6)


def test_what_lies_above_the_highest_frequency_is_not_heard():
    config = FrontEndConfig(bands=80, highest_hz=7400)
    assert heard_bands(config) == 77  # the next one reaches from 7125 to 7687.5 Hz
    spectra = spectra_of(config)
    changed = spectra.copy()
    changed[:, 237:] *= 100.0  # from 7406.25 Hz on
    features = band_features(spectra, config)
    np.testing.assert_array_equal(band_features(changed, config), features)
    np.testing.assert_array_equal(features[:, 77:], np.repeat(features[:, 76:77], 3, axis=1))
    everything = config.model_copy(update={"highest_hz": None})
    np.testing.assert_array_equal(features[:, :77], band_features(spectra, everything)[:, :77])
    assert heard_bands(everything) == heard_bands(FrontEndConfig(bands=80, highest_hz=8000)) == 80


def test_a_least_gain_lies_under_every_mask():
    config = FrontEndConfig(least_gain=0.25)
    mask = np.repeat(np.float32([[0.0], [0.5], [1.0]]), config.bands, axis=1)
    np.testing.assert_allclose(bin_mask(mask, config)[:, 100], [0.25, 0.625, 1.0])
    assert bin_mask(mask, config).dtype == np.float32


@pytest.mark.parametrize("config", CONFIGS)
def test_a_block_equals_its_frames_bit_for_bit(config):
    spectra = spectra_of(config)
    each = np.stack([band_features(spectrum, config) for spectrum in spectra])
    np.testing.assert_array_equal(band_features(spectra, config), each)


def test_features_by_hand():
    powers = np.float32([0.0, 1e-6, 10**-0.5, 1.0, 1e5, 1e9])  # -120, -60, -5, 0, 50, 90 dB
    features = log_features(powers, FrontEndConfig(floor_db=-60.0, ceiling_db=50.0))
    np.testing.assert_allclose(features, [-1, -1, 0, 1 / 11, 1, 1], atol=1e-6)


@pytest.mark.parametrize("config", CONFIGS)
def test_analysis_and_synthesis_give_the_samples_back(config):
    samples = np.random.default_rng(2).uniform(-1, 1, 1001).astype(np.float32)
    np.testing.assert_allclose(istft(stft(samples, config), 1001, config), samples, atol=1e-6)


def test_int16_by_hand():
    steps = np.float32([0, 0.4, 0.5, -0.5, 1.49, -1.5, 32766.5, 40000, -32768.4, -40000])
    expected = [0, 0, 1, -1, 1, -2, 32767, 32767, -32768, -32768]
    assert to_int16(steps / np.float32(32768)).tolist() == expected
