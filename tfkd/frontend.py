"""Window, band features, mask application and overlap-add, in NumPy: the one definition.

`tfkd.frontend_tf` expresses the same in a TensorFlow graph and `tfkd.c_denoiser` in C99; tests hold
them equal. What the C code computes is float32 in a stated order, transforms included, so that both
give the same bits; logarithms, which it has as a table of thresholds, are float64.

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
from tfkd.real_fft import inverse_real_fft, real_fft

Floats = NDArray[np.float32]
Complex = NDArray[np.complex64]
Integers = NDArray[np.int64]

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
def band_weights(config: FrontEndConfig) -> tuple[Integers, Floats, Floats]:
    """Triangular ERB-spaced bands: how each bin is shared between a band and the next one.

    Low bins, where an ERB is narrower than a bin, get a band each; above them the band centres lie
    evenly on the ERB-rate scale up to Nyquist.

    Returns:
        The lower band of every bin, its weight, and that of the band above; each [bins]. The two
        weights sum to 1.
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
    position = np.clip(np.searchsorted(centres, np.arange(bins), side="right") - 1, 0, bands - 2)
    fraction = (np.arange(bins) - centres[position]) / (centres[position + 1] - centres[position])
    fraction = np.clip(fraction, 0.0, 1.0)
    result = (position, (1.0 - fraction).astype(np.float32), fraction.astype(np.float32))
    for array in result:
        array.setflags(write=False)
    return result


@lru_cache(maxsize=8)
def band_matrix(config: FrontEndConfig) -> Floats:
    """`band_weights` as a matrix [bins, bands], every row sums to 1.

    Up to the order of additions, `power @ matrix` sums bin powers into bands and `matrix @ mask`
    interpolates a band mask to bins, so a constant mask stays constant.
    """
    position, lower, upper = band_weights(config)
    rows = np.arange(config.bins)
    matrix = np.zeros((config.bins, config.bands), np.float32)
    matrix[rows, position] = lower
    matrix[rows, position + 1] = upper
    matrix.setflags(write=False)
    return matrix


@lru_cache(maxsize=8)
def heard_bands(config: FrontEndConfig) -> int:
    """How many bands the model is fed with: those that do not reach above `highest_hz`.

    Whether anything lies just below Nyquist depends on the resampler that a recording has passed
    more than on what was recorded. The bands above are masked like all others.
    """
    if config.highest_hz is None:
        return config.bands
    hz = np.arange(config.bins) * config.sample_rate / config.window
    reaching = band_matrix(config)[hz > config.highest_hz].any(axis=0)
    return int(np.argmax(reaching)) if reaching.any() else config.bands


@lru_cache(maxsize=8)
def feature_matrix(config: FrontEndConfig) -> Floats:
    """`band_matrix` with what the model is fed with: a band that is not heard is the last that is.

    Up to the order of additions, `power @ matrix` is `band_power`.
    """
    heard = np.minimum(np.arange(config.bands), heard_bands(config) - 1)
    matrix = band_matrix(config)[:, heard]
    matrix.setflags(write=False)
    return matrix


@lru_cache(maxsize=8)
def _band_terms(config: FrontEndConfig) -> tuple[Integers, Floats]:
    """The n-th bin of every heard band, in ascending order, and its weight: [terms, heard bands].

    Bands of fewer bins end in weights of zero.
    """
    matrix = band_matrix(config)[:, : heard_bands(config)]
    terms = int((matrix > 0).sum(axis=0).max())
    bins = np.zeros((terms, matrix.shape[1]), np.int64)
    weights = np.zeros((terms, matrix.shape[1]), np.float32)
    for band, column in enumerate(matrix.T):
        (members,) = np.nonzero(column)
        bins[: len(members), band] = members
        weights[: len(members), band] = column[members]
    return bins, weights


def band_power(spectra: Complex, config: FrontEndConfig) -> Floats:
    """Spectra [..., bins] to band powers [..., bands], summed bin after bin.

    Bands that are not heard (see `heard_bands`) have the power of the last that is.
    """
    power = spectra.real * spectra.real + spectra.imag * spectra.imag
    total = np.zeros((*spectra.shape[:-1], heard_bands(config)), np.float32)
    for bins, weights in zip(*_band_terms(config), strict=True):
        total += power[..., bins] * weights
    unheard = config.bands - total.shape[-1]
    return np.concatenate([total, np.repeat(total[..., -1:], unheard, axis=-1)], axis=-1)


def log_features(power: Floats, config: FrontEndConfig) -> Floats:
    """Band powers [..., bands] to the model's input in [-1, 1], of the same shape.

    Formula: 10 log10(band power), mapped affinely from [floor_db, ceiling_db] to [-1, 1] and
    clipped.
    """
    decibels = 10.0 * np.log10((power + np.float32(POWER_EPSILON)).astype(np.float64))
    scale = 2.0 / (config.ceiling_db - config.floor_db)
    return np.clip((decibels - config.floor_db) * scale - 1.0, -1.0, 1.0).astype(np.float32)


def band_features(spectra: Complex, config: FrontEndConfig) -> Floats:
    """Spectra [..., bins] to the model's input, shape [..., bands]."""
    return log_features(band_power(spectra, config), config)


def bin_mask(mask: Floats, config: FrontEndConfig) -> Floats:
    """Band mask [..., bands] to the gains of bins, shape [..., bins].

    A mask m means the gain g + (1 - g) m, where g is the configuration's `least_gain`: what is
    heard is (1 - g) times the masked signal, and the noisy one, at a gain of g, under it. Between
    the centres of two bands gains are interpolated.
    """
    least = np.float32(config.least_gain)
    gain = least + (np.float32(1.0) - least) * mask
    position, lower, upper = band_weights(config)
    return gain[..., position] * lower + gain[..., position + 1] * upper


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
    return real_fft(framed * sqrt_hann(config.window))


def istft(spectra: Complex, samples: int, config: FrontEndConfig) -> Floats:
    """Spectra [frames, bins] back to a waveform [samples] by windowed overlap-add."""
    hop = config.hop
    framed = inverse_real_fft(spectra) * sqrt_hann(config.window)
    halves = framed.reshape(len(spectra), 2, hop)  # [frames, older half | newer half, hop]
    complete = halves[1:, 0] + halves[:-1, 1]  # hop t of the signal: frames t and t + 1
    return complete.reshape(-1)[:samples]


def to_int16(samples: Floats) -> NDArray[np.int16]:
    """Samples as a converter takes them: full scale 32768, half away from zero, saturated."""
    scaled = samples * np.float32(32768)
    rounded = np.trunc(scaled + np.copysign(np.float32(0.5), scaled))
    return np.clip(rounded, -32768, 32767).astype(np.int16)


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
        return real_fft(frame)

    def features(self, spectrum: Complex) -> Floats:
        """One spectrum [bins] to the model's input [bands]."""
        return band_features(spectrum, self.config)

    def synthesise(self, spectrum: Complex, mask: Floats) -> Floats:
        """Apply a band mask [bands] to a spectrum [bins]; returns the hop before the newest."""
        masked = spectrum * bin_mask(mask, self.config)
        frame = inverse_real_fft(masked) * sqrt_hann(self.config.window)
        complete = self._overlap + frame[: self.config.hop]
        self._overlap = frame[self.config.hop :]
        return complete
