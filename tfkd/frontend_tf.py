"""`tfkd.frontend` in a TensorFlow graph: the same names, arguments and padding, over a batch.

A test holds both equal. Complex spectra appear only here and in the data pipeline; models see band
features.
"""

from __future__ import annotations

import tensorflow as tf

from tfkd.config import FrontEndConfig
from tfkd.frontend import POWER_EPSILON, band_matrix, feature_matrix, sqrt_hann

DECIBELS_PER_NEPER = 4.342944819032518  # 10 / ln(10)


def frame_count(samples: int, config: FrontEndConfig) -> int:
    """Frames that `stft` makes of a waveform: ceil(samples / hop) + 1."""
    return -(-samples // config.hop) + 1


def stft(waveforms: tf.Tensor, config: FrontEndConfig) -> tf.Tensor:
    """Waveforms [batch, samples] to spectra complex64 [batch, frames, bins].

    The number of samples must be static; frames = ceil(samples / hop) + 1, as in
    `tfkd.frontend.stft`.
    """
    hop, samples = config.hop, waveforms.shape[-1]
    if samples is None:
        raise ValueError(
            "stft needs a static number of samples, as frames = ceil(samples / hop) + 1. "
            f"Received: waveforms of shape {waveforms.shape}."
        )
    frames = frame_count(samples, config)
    padded = tf.pad(waveforms, [[0, 0], [hop, frames * hop - samples]])
    hops = tf.reshape(padded, [-1, frames + 1, hop])  # [batch, frames + 1, hop]
    framed = tf.concat([hops[:, :-1], hops[:, 1:]], axis=-1)  # [batch, frames, window]
    return tf.signal.rfft(framed * sqrt_hann(config.window))


def istft(spectra: tf.Tensor, samples: int, config: FrontEndConfig) -> tf.Tensor:
    """Spectra [batch, frames, bins] back to waveforms [batch, samples] by windowed overlap-add."""
    hop, frames = config.hop, spectra.shape[1]
    framed = tf.signal.irfft(spectra, [config.window]) * sqrt_hann(config.window)
    complete = framed[:, 1:, :hop] + framed[:, :-1, hop:]  # [batch, frames - 1, hop]
    return tf.reshape(complete, [-1, (frames - 1) * hop])[:, :samples]


def band_features(power: tf.Tensor, config: FrontEndConfig) -> tf.Tensor:
    """Bin powers [..., bins] to log band powers in [-1, 1], shape [..., bands].

    Formula: 10 log10(band power), mapped affinely from [floor_db, ceiling_db] to [-1, 1], clipped.
    """
    bands = tf.matmul(power, tf.constant(feature_matrix(config)))
    decibels = DECIBELS_PER_NEPER * tf.math.log(bands + POWER_EPSILON)
    scale = 2.0 / (config.ceiling_db - config.floor_db)
    return tf.clip_by_value((decibels - config.floor_db) * scale - 1.0, -1.0, 1.0)


def bin_mask(mask: tf.Tensor, config: FrontEndConfig) -> tf.Tensor:
    """Band mask [..., bands] to the gains of bins [..., bins]; see `frontend.bin_mask`."""
    gain = config.least_gain + (1.0 - config.least_gain) * mask
    return tf.matmul(gain, tf.constant(band_matrix(config)), transpose_b=True)
