"""Gains and powers of spectra in the graph: levels, equalisers, devices, slow changes.

The STFT is linear, so all of these are multiplications of spectra, and no waveform is filtered.
Spectra are handled as "parts", float32 [batch, frames, 2 bins] with real and imaginary parts
interleaved: arithmetic on them is twice as fast as complex arithmetic.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfkd.config import FrontEndConfig
from tfkd.data.draws import Draws
from tfkd.frontend import erb_rate

ACTIVE_RANGE_DB = 35.0  # speech frames this far below the 95th percentile still count as active
ACTIVE_PERCENTILE = 0.95
SILENT_POWER = 1e-10  # -100 dBFS
EQUALISER_SHAPES = 4
LOWEST_UPPER_EDGE_HZ, HIGHEST_LOWER_EDGE_HZ = 3200.0, 400.0  # a telephone's
ROLL_OFF_DB = 90.0
UPPER_ROLL_OFF_HZ, LOWER_ROLL_OFF_HZ = (150.0, 1000.0), (60.0, 300.0)  # from the edge to that
MOVING_DB = (2.0, 10.0)
MOVING_HZ = (0.15, 2.0)


def as_floats(spectra: tf.Tensor) -> tf.Tensor:
    """complex64 [batch, frames, bins] to float32 [batch, frames, 2 bins]."""
    pairs = tf.bitcast(spectra, tf.float32)  # [batch, frames, bins, 2]
    return tf.reshape(pairs, [-1, spectra.shape[1], 2 * spectra.shape[2]])


def as_spectra(parts: tf.Tensor) -> tf.Tensor:
    """float32 [batch, frames, 2 bins] back to complex64 [batch, frames, bins]."""
    batch, frames, width = parts.shape
    return tf.bitcast(tf.reshape(parts, [batch, frames, width // 2, 2]), tf.complex64)


def frame_power(parts: tf.Tensor, gain: tf.Tensor, frontend: FrontEndConfig) -> tf.Tensor:
    """Mean power per sample of each frame, [batch, frames], after a gain per bin [batch, 2 bins].

    By Parseval's theorem; the squares of overlapping windows sum to one, so the mean over the
    frames is the power of the signal.
    """
    both_sides = np.full(2 * frontend.bins, 2.0, np.float32)
    both_sides[[0, 1, -2, -1]] = 1.0  # DC and Nyquist have no mirror image
    both_sides /= frontend.window * frontend.hop
    return tf.linalg.matvec(tf.square(parts), tf.square(gain) * both_sides)


def active_power(power: tf.Tensor) -> tf.Tensor:
    """Mean power of the active frames, [batch, frames] to [batch].

    A frame is active if it lies within 35 dB of the 95th percentile.
    """
    frames = power.shape[-1]
    rank = frames - math.ceil(ACTIVE_PERCENTILE * frames) + 1
    loud = tf.math.top_k(power, rank).values[:, -1:]
    active = tf.cast(power > loud * 10.0 ** (-ACTIVE_RANGE_DB / 10.0), tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(power * active, -1), tf.reduce_sum(active, -1))


def gain_to(level_db: tf.Tensor, power: tf.Tensor) -> tf.Tensor:
    """Gain [batch] that brings a power [batch] to a level in dB; 0 for silence."""
    audible = tf.cast(power > SILENT_POWER, tf.float32)
    return audible * 10.0 ** (level_db / 20.0) * tf.math.rsqrt(tf.maximum(power, SILENT_POWER))


def random_equaliser(draws: Draws, largest_db: float, frontend: FrontEndConfig) -> tf.Tensor:
    """Smooth gains [batch, 2 bins] within +-largest_db: a tilt and finer ripples over ERB-rate."""
    hz = np.arange(frontend.bins) * frontend.sample_rate / frontend.window
    place = erb_rate(hz) / erb_rate(frontend.sample_rate / 2)
    orders = np.arange(1, EQUALISER_SHAPES + 1)
    shares = 0.5 ** np.minimum(orders, EQUALISER_SHAPES - 1)  # 1/2, 1/4, 1/8, 1/8
    shapes = shares[:, None] * np.cos(np.pi * orders[:, None] * place)  # [shapes, bins]
    weights = draws.uniform(-largest_db, largest_db, EQUALISER_SHAPES)
    decibels = tf.matmul(weights, np.repeat(shapes, 2, axis=1).astype(np.float32))
    return 10.0 ** (decibels / 20.0)


def band_limit(draws: Draws, chosen: tf.Tensor, frontend: FrontEndConfig) -> tf.Tensor:
    """Band-pass gains [batch, 2 bins] of devices for the chosen rows, ones for the others.

    The squares of uniform numbers choose both edges: mostly near Nyquist, where every resampler
    cuts, and near 0 Hz; at times as far in as a telephone's.
    """
    nyquist = frontend.sample_rate / 2
    hz = np.repeat(np.linspace(0.0, nyquist, frontend.bins, dtype=np.float32), 2)
    upper = nyquist - (nyquist - LOWEST_UPPER_EDGE_HZ) * draws.uniform(0.0, 1.0) ** 2
    lower = HIGHEST_LOWER_EDGE_HZ * draws.uniform(0.0, 1.0) ** 2
    above = (hz - upper[:, tf.newaxis]) / draws.uniform(*UPPER_ROLL_OFF_HZ)[:, tf.newaxis]
    below = (lower[:, tf.newaxis] - hz) / draws.uniform(*LOWER_ROLL_OFF_HZ)[:, tf.newaxis]
    outside = tf.minimum(tf.nn.relu(above) + tf.nn.relu(below), 1.0)
    return tf.where(chosen[:, tf.newaxis], 10.0 ** (-ROLL_OFF_DB / 20.0 * outside), 1.0)


def moving_gain(
    draws: Draws, chosen: tf.Tensor, frames: int, frontend: FrontEndConfig
) -> tf.Tensor:
    """Slowly wandering gains [batch, frames] for the chosen rows, ones for the others."""
    time_s = np.arange(frames, dtype=np.float32) * frontend.hop / frontend.sample_rate
    depth_db = tf.where(chosen, draws.uniform(*MOVING_DB), 0.0)[:, tf.newaxis]
    decibels = tf.zeros_like(depth_db * time_s)
    for _ in range(2):
        angle = 2.0 * math.pi * draws.log_uniform(*MOVING_HZ)[:, tf.newaxis] * time_s
        phase = draws.uniform(0.0, 2.0 * math.pi)[:, tf.newaxis]
        decibels += 0.5 * depth_db * tf.sin(angle + phase)
    return 10.0 ** (decibels / 20.0)
