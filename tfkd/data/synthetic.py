"""Synthetic noise in the graph: coloured, band-limited, modulated, humming and impulsive.

Every family starts from stateless random numbers, so a noise is a function of its seed alone.
"""

from __future__ import annotations

import math

import tensorflow as tf

from tfkd.data.draws import Draws
from tfkd.data.rows import replace_rows

HUM_HARMONICS = 12
FAMILIES = ("stationary", "modulated", "hum", "impulsive")


def coloured_noise(
    white: tf.Tensor, slope: tf.Tensor, low: tf.Tensor, high: tf.Tensor
) -> tf.Tensor:
    """Colour and band-limit white noise [count, samples]; its power density falls as f^-slope.

    The result has unit power.

    Args:
        slope: [count]; 0 is white, 1 pink, 2 brown, -1 blue.
        low, high: [count], edges of the band as fractions of Nyquist; 40 dB down outside.
    """
    samples = white.shape[-1]
    frequency = tf.linspace(1.0 / samples, 1.0, samples // 2 + 1)[tf.newaxis]  # [1, bins]
    amplitude = tf.exp(-0.5 * slope[:, tf.newaxis] * tf.math.log(frequency))
    inside = (frequency >= low[:, tf.newaxis]) & (frequency <= high[:, tf.newaxis])
    shape = tf.where(inside, amplitude, 0.01 * amplitude)
    shape /= tf.sqrt(tf.reduce_mean(tf.square(shape), axis=-1, keepdims=True))
    return tf.signal.irfft(tf.signal.rfft(white) * tf.cast(shape, tf.complex64), [samples])


def modulation(
    rate_hz: tf.Tensor, depth: tf.Tensor, phase: tf.Tensor, time_s: tf.Tensor
) -> tf.Tensor:
    """Amplitude 1 + depth sin(2 pi rate t + phase), [count, samples]."""
    angle = 2.0 * math.pi * rate_hz[:, tf.newaxis] * time_s + phase[:, tf.newaxis]
    return 1.0 + depth[:, tf.newaxis] * tf.sin(angle)


def hum(
    fundamental_hz: tf.Tensor, decay: tf.Tensor, phases: tf.Tensor, time_s: tf.Tensor
) -> tf.Tensor:
    """Harmonics of a fundamental [count], the k-th with amplitude k^-decay, [count, samples].

    Args:
        phases: [count, harmonics] in radians.
    """
    angle = 2.0 * math.pi * fundamental_hz[:, tf.newaxis] * time_s
    total = tf.zeros_like(angle)
    for index in range(phases.shape[1]):
        order = float(index + 1)
        total += order ** -decay[:, tf.newaxis] * tf.sin(
            order * angle + phases[:, index : index + 1]
        )
    return total


def impulses(
    white: tf.Tensor, per_second: tf.Tensor, decay_s: tf.Tensor, sample_rate: int
) -> tf.Tensor:
    """Clicks and knocks: random bursts of noise that decay, [count, samples].

    Args:
        white: Gaussian noise [count, samples], which also chooses where the bursts begin.
        per_second: [count], mean number of bursts.
        decay_s: [count], time constant of their decay.
    """
    samples = white.shape[-1]
    # A Gaussian sample exceeds this threshold with the wanted probability.
    threshold = -tf.math.ndtri(tf.minimum(per_second / sample_rate, 0.1))[:, tf.newaxis]
    starts = tf.cast(white > threshold, tf.float32)
    time_s = tf.range(samples, dtype=tf.float32)[tf.newaxis] / sample_rate
    envelope = tf.exp(-time_s / decay_s[:, tf.newaxis])
    spectrum = tf.signal.rfft(starts) * tf.signal.rfft(envelope)
    return tf.nn.relu(tf.signal.irfft(spectrum, [samples])) * tf.roll(white, 1, axis=-1)


def synthetic_noise(draws: Draws, samples: int, sample_rate: int) -> tf.Tensor:
    """One random noise per row of `draws`, float32 [count, samples], any level."""
    white = draws.normal(samples)
    time_s = tf.range(samples, dtype=tf.float32)[tf.newaxis] / sample_rate
    limited = draws.chance(0.4)
    low, high = draws.log_uniform(0.0025, 0.25), draws.log_uniform(0.15, 1.0)
    low = tf.where(limited, low, 0.0025)
    high = tf.where(limited, tf.maximum(high, 2.0 * low), 1.0)
    noise = coloured_noise(white, draws.uniform(-0.5, 2.5), low, high)

    family = tf.cast(draws.uniform(0.0, len(FAMILIES)), tf.int32)
    rate_hz, depth = draws.log_uniform(0.3, 40.0), draws.uniform(0.3, 1.0)
    fundamental_hz, decay = draws.log_uniform(45.0, 250.0), draws.uniform(0.2, 1.5)
    phases = draws.uniform(0.0, 2.0 * math.pi, HUM_HARMONICS)
    per_second, decay_s = draws.log_uniform(0.7, 30.0), draws.log_uniform(0.001, 0.06)
    floor = draws.log_uniform(0.01, 0.3)[:, tf.newaxis]

    def modulated(rows: tf.Tensor) -> tf.Tensor:
        chosen = [tf.gather_nd(value, rows) for value in (rate_hz, depth, phases[:, 0])]
        return tf.gather_nd(noise, rows) * modulation(*chosen, time_s)

    def humming(rows: tf.Tensor) -> tf.Tensor:
        chosen = [tf.gather_nd(value, rows) for value in (fundamental_hz, decay, phases)]
        return hum(*chosen, time_s) + tf.gather_nd(floor * noise, rows)

    def knocking(rows: tf.Tensor) -> tf.Tensor:
        chosen = [tf.gather_nd(value, rows) for value in (white, per_second, decay_s)]
        return impulses(*chosen, sample_rate) + tf.gather_nd(0.1 * floor * noise, rows)

    result = replace_rows(noise, family == FAMILIES.index("modulated"), modulated)
    result = replace_rows(result, family == FAMILIES.index("hum"), humming)
    return replace_rows(result, family == FAMILIES.index("impulsive"), knocking)
