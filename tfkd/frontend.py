"""Window, band features, mask application and overlap-add, in NumPy: the one definition.

`tfkd.frontend_tf` expresses the same in a TensorFlow graph and the C export in C99; tests hold them
equal.

The analysis and synthesis windows are the square root of a periodic Hann window at 50 % overlap, so
analysis followed by synthesis reconstructs the input exactly. Frame t covers samples [(t - 1) hop,
(t + 1) hop): its newest sample completes hop t, and hop t - 1 of the output is complete once frame
t is synthesised.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tfkd.config import FrontEndConfig

Floats = NDArray[np.float32]
Complex = NDArray[np.complex64]

POWER_EPSILON = 1e-12  # below the floor of every usable configuration (-120 dB)


@lru_cache(maxsize=8)
def sqrt_hann(window: int) -> Floats:
    """Square root of the periodic Hann window, shape [window]."""
    hann = 0.5 - 0.5 * np.cos(2.0 * np.pi * np.arange(window) / window)
    result = np.sqrt(hann).astype(np.float32)
    result.setflags(write=False)
    return result


def erb_rate(hz: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """ERB-rate scale of Glasberg and Moore (1990): 21.4 log10(1 + 0.00437 f)."""
    return np.asarray(21.4 * np.log10(1.0 + 0.00437 * np.asarray(hz)), dtype=np.float64)


@lru_cache(maxsize=8)
def band_matrix(config: FrontEndConfig) -> Floats:
    """Triangular ERB-spaced bands: weights of shape [bins, bands], every row sums to 1.

    Low bins, where an ERB is narrower than a bin, get a band each; above them the band centres lie
    evenly on the ERB-rate scale up to Nyquist. `power @ matrix` sums bin powers into bands; `matrix
    @ mask` interpolates a band mask to bins, so a constant mask stays constant.
    """
    bins, bands = config.bins, config.bands
    bin_hz = config.sample_rate / config.window
    nyquist = config.sample_rate / 2
    single = 0
    # Grow the run of single bins until the rest, spaced evenly in ERB, is at least one bin apart.
    while single < bands - 1:
        rest = np.linspace(erb_rate(single * bin_hz), erb_rate(nyquist), bands - single)
        centres = (10.0 ** (rest / 21.4) - 1.0) / 0.00437 / bin_hz
        if centres[1] - centres[0] >= 1.0:
            break
        single += 1
    centres = np.concatenate([np.arange(single), centres])
    matrix = np.zeros((bins, bands))
    position = np.clip(np.searchsorted(centres, np.arange(bins), side="right") - 1, 0, bands - 2)
    fraction = (np.arange(bins) - centres[position]) / (centres[position + 1] - centres[position])
    fraction = np.clip(fraction, 0.0, 1.0)
    matrix[np.arange(bins), position] = 1.0 - fraction
    matrix[np.arange(bins), position + 1] = fraction
    result = matrix.astype(np.float32)
    result.setflags(write=False)
    return result


def band_features(power: Floats, config: FrontEndConfig) -> Floats:
    """Bin powers [..., bins] to log band powers in [-1, 1], shape [..., bands].

    Formula: 10 log10(band power), mapped affinely from [floor_db, ceiling_db] to [-1, 1] and
        clipped.
    """
    decibels = 10.0 * np.log10(power @ band_matrix(config) + np.float32(POWER_EPSILON))
    scale = 2.0 / (config.ceiling_db - config.floor_db)
    return np.clip((decibels - config.floor_db) * scale - 1.0, -1.0, 1.0).astype(np.float32)


def bin_mask(mask: Floats, config: FrontEndConfig) -> Floats:
    """Band mask [..., bands] interpolated to bins, shape [..., bins]."""
    return np.asarray(mask @ band_matrix(config).T, dtype=np.float32)


def stft(waveform: Floats, config: FrontEndConfig) -> Complex:
    """Waveform [samples] to spectra [frames, bins]; frames = ceil(samples / hop) + 1.

    The signal is preceded by one hop of silence and padded at its end, so that `istft` returns
    every sample.
    """
    hop = config.hop
    frames = -(-len(waveform) // hop) + 1
    padded = np.zeros((frames + 1) * hop, np.float32)
    padded[hop : hop + len(waveform)] = waveform
    framed = np.lib.stride_tricks.sliding_window_view(padded, config.window)[::hop]
    return np.fft.rfft(framed * sqrt_hann(config.window)).astype(np.complex64)


def istft(spectra: Complex, samples: int, config: FrontEndConfig) -> Floats:
    """Spectra [frames, bins] back to a waveform [samples] by windowed overlap-add."""
    hop = config.hop
    framed = np.fft.irfft(spectra, config.window) * sqrt_hann(config.window)
    halves = framed.reshape(len(spectra), 2, hop)  # [frames, older half | newer half, hop]
    complete = halves[1:, 0] + halves[:-1, 1]  # hop t of the signal: frames t and t + 1
    return complete.reshape(-1)[:samples].astype(np.float32)


class StreamingFrontEnd:
    """Analysis and synthesis hop by hop; equal to `stft` and `istft`, one hop late.

    Example:
        >>> front = StreamingFrontEnd(FrontEndConfig())
        >>> spectrum = front.analyse(np.zeros(256, np.float32))
        >>> front.features(spectrum).shape
        (64,)
        >>> front.synthesise(spectrum, np.ones(64, np.float32)).shape
        (256,)
    """

    def __init__(self, config: FrontEndConfig) -> None:
        self.config = config
        self._previous = np.zeros(config.hop, np.float32)
        self._overlap = np.zeros(config.hop, np.float32)

    def analyse(self, samples: Floats) -> Complex:
        """The newest hop [hop] to one spectrum [bins]."""
        frame = np.concatenate([self._previous, samples]) * sqrt_hann(self.config.window)
        self._previous = np.array(samples, np.float32)
        return np.fft.rfft(frame).astype(np.complex64)

    def features(self, spectrum: Complex) -> Floats:
        """One spectrum [bins] to the model's input [bands]."""
        power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
        return band_features(power, self.config)

    def synthesise(self, spectrum: Complex, mask: Floats) -> Floats:
        """Apply a band mask [bands] to a spectrum [bins]; returns the hop before the newest."""
        samples = np.fft.irfft(spectrum * bin_mask(mask, self.config), self.config.window)
        frame = (samples * sqrt_hann(self.config.window)).astype(np.float32)
        complete = self._overlap + frame[: self.config.hop]
        self._overlap = frame[self.config.hop :]
        return complete
