"""The stream from noisy to enhanced samples: analysis, an engine's masks, synthesis."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfkd.engines.engine import Engine
from tfkd.frontend import band_features, bin_mask, sqrt_hann
from tfkd.real_fft import inverse_real_fft, real_fft

Floats = NDArray[np.float32]


class Enhancer:
    """Enhances one channel at the front end's sample rate; output lags input by one hop.

    Bit for bit `frontend.StreamingFrontEnd` around the engine, hop by hop, but a whole block of
    hops passes the Fourier transforms at once. The lag is the hop that overlap-add still waits for.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._config = engine.frontend
        self.reset()

    @property
    def hop(self) -> int:
        """Samples per frame; blocks are multiples of it."""
        return self._config.hop

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self._config.sample_rate

    def reset(self) -> None:
        """Start a new recording."""
        self._engine.reset()
        self._previous = np.zeros(self._config.hop, np.float32)
        self._overlap = np.zeros(self._config.hop, np.float32)

    def process(self, samples: Floats) -> Floats:
        """The next block, noisy [n hop] to enhanced [n hop]; the very first hop is silence."""
        config, hop = self._config, self._config.hop
        signal = np.concatenate([self._previous, samples])
        self._previous = signal[-hop:]
        framed = np.lib.stride_tricks.sliding_window_view(signal, config.window)[::hop]
        spectra = real_fft(framed * sqrt_hann(config.window))
        masks = self._engine.run(band_features(spectra, config))
        frames = inverse_real_fft(spectra * bin_mask(masks, config))
        halves = (frames * sqrt_hann(config.window)).reshape(-1, 2, hop)
        newer = np.concatenate([self._overlap[np.newaxis], halves[:, 1]])  # [n + 1, hop]
        self._overlap = newer[-1]
        return (newer[:-1] + halves[:, 0]).reshape(-1)


def enhance(engine: Engine, noisy: Floats) -> Floats:
    """Enhance a whole waveform [samples] at the front end's rate; aligned, of equal length."""
    enhancer = Enhancer(engine)
    hop = enhancer.hop
    hops = -(-len(noisy) // hop) + 1  # one more, for the lag
    padded = np.zeros(hops * hop, np.float32)
    padded[: len(noisy)] = noisy
    return enhancer.process(padded)[hop : hop + len(noisy)]
