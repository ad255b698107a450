"""The float32 transforms against NumPy's float64 ones, for every even window."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfkd.real_fft import inverse_real_fft, real_fft, roots_of_unity

FLOAT32_STEP = 2.0**-23


def frames_of(window: int, count: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, window)).astype(np.float32)


def test_four_samples_by_hand():
    spectrum = real_fft(np.array([1.0, 2.0, 3.0, 5.0], np.float32))
    assert spectrum.tolist() == [11, -2 + 3j, -3]
    assert inverse_real_fft(spectrum).tolist() == [1, 2, 3, 5]


@settings(max_examples=50)
@given(half=st.one_of(st.integers(1, 60), st.sampled_from([128, 160, 240, 256, 480, 512])))
def test_any_even_window(half):
    frames = frames_of(2 * half)
    spectra, exact = real_fft(frames), np.fft.rfft(frames)
    assert (spectra.dtype, spectra.shape) == (np.complex64, (3, half + 1))
    limit = FLOAT32_STEP * np.sqrt(half) * np.linalg.norm(exact, axis=1, keepdims=True)
    assert (np.abs(spectra - exact) <= limit).all()
    back = inverse_real_fft(spectra)
    assert (back.dtype, back.shape) == (np.float32, frames.shape)
    limit = FLOAT32_STEP * np.sqrt(half) * np.linalg.norm(frames, axis=1, keepdims=True)
    assert (np.abs(back - frames) <= limit).all()


@pytest.mark.parametrize("window", [512, 320, 66])
def test_a_block_equals_its_frames_bit_for_bit(window):
    frames = frames_of(window, 7)
    spectra = real_fft(frames)
    np.testing.assert_array_equal(spectra, np.stack([real_fft(frame) for frame in frames]))
    np.testing.assert_array_equal(
        inverse_real_fft(spectra), np.stack([inverse_real_fft(row) for row in spectra])
    )


def test_leading_axes_are_kept():
    frames = frames_of(64, 6).reshape(2, 3, 64)
    assert real_fft(frames).shape == (2, 3, 33)
    assert inverse_real_fft(real_fft(frames)).shape == (2, 3, 64)


def test_quarter_turns_are_exact():
    assert roots_of_unity(4, 4).tolist() == [1, -1j, -1, 1j]
