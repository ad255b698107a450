"""Distance of short-time envelopes: what ESTOI measures, differentiable."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from tfkd.config import FrontEndConfig

BANDS = 15  # third octaves
LOWEST_HZ = 150.0
SEGMENT_S = 0.384
OVERLAP = 4  # segments begin a quarter of their length apart
ACTIVE_DB = 40.0  # frames this far below the loudest are silent
SILENCE = 1e-6


@lru_cache(maxsize=8)
def third_octaves(frontend: FrontEndConfig) -> NDArray[np.float32]:
    """Bin powers @ matrix = powers of the third octaves from 150 Hz, [bins, 15]."""
    hz = np.arange(frontend.bins) * frontend.sample_rate / frontend.window
    matrix = np.zeros((frontend.bins, BANDS), np.float32)
    for band in range(BANDS):
        centre_hz = LOWEST_HZ * 2.0 ** (band / 3.0)
        first = int(np.argmin(np.abs(hz - centre_hz * 2.0 ** (-1.0 / 6.0))))
        end = int(np.argmin(np.abs(hz - centre_hz * 2.0 ** (1.0 / 6.0))))
        matrix[first : max(end, first + 1), band] = 1.0
    return matrix


def envelope_distance(
    enhanced_power: tf.Tensor, clean_power: tf.Tensor, frontend: FrontEndConfig
) -> tf.Tensor:
    """1 - the mean correlation of third-octave envelopes over segments of 384 ms.

    Formula: in each segment the envelopes [frames, 15] have the mean over time removed and unit
    norm per band, then the mean over bands removed and unit norm per frame; the correlation is the
    mean over the frames of the inner products. Segments count by their share of active frames.

    Source: Jensen and Taal, "An algorithm for predicting the intelligibility of speech masked by
    modulated noise maskers", IEEE/ACM TASLP 2016, eq. 2-8; with the front end's frames and rate
    in place of 10 kHz.

    Args:
        enhanced_power: squared magnitudes, float32 [batch, frames, bins].
        clean_power: the same of the clean speech.
        frontend: of both.

    Returns:
        float32 [batch] in [0, 2]; 0 for equal powers. Examples shorter than a segment, and silent
        ones, give 0.
    """
    length = max(round(SEGMENT_S * frontend.sample_rate / frontend.hop), 2)
    step = max(length // OVERLAP, 1)
    level = tf.reduce_mean(clean_power, axis=(1, 2), keepdims=True) + SILENCE**2
    loudness = tf.reduce_sum(clean_power, axis=-1)  # [batch, frames]
    loudest = tf.reduce_max(loudness, axis=-1, keepdims=True)
    active = tf.cast(loudness > loudest * 10.0 ** (-ACTIVE_DB / 10.0), tf.float32)
    weight = tf.reduce_mean(tf.signal.frame(active, length, step, axis=1), axis=-1)

    def patterns(power: tf.Tensor) -> tf.Tensor:
        """Normalised segments [batch, segments, length, 15]."""
        envelope = tf.sqrt(tf.matmul(power / level, third_octaves(frontend)) + SILENCE)
        segments = tf.signal.frame(envelope, length, step, axis=1)
        for axis in (2, 3):
            segments -= tf.reduce_mean(segments, axis=axis, keepdims=True)
            energy = tf.reduce_sum(tf.square(segments), axis=axis, keepdims=True)
            segments *= tf.math.rsqrt(energy + SILENCE)
        return segments

    products = patterns(enhanced_power) * patterns(clean_power)
    distance = 1.0 - tf.reduce_sum(products, axis=(2, 3)) / length  # [batch, segments]
    return tf.math.divide_no_nan(
        tf.reduce_sum(weight * distance, axis=-1), tf.reduce_sum(weight, axis=-1)
    )
