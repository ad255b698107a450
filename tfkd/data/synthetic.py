"""Synthetic noise in the graph: coloured, band-limited, modulated, humming and impulsive.

Every family starts from stateless random numbers, so a noise is a function of its seed alone.
"""

from __future__ import annotations

import math

import tensorflow as tf

from tfkd.data.draws import Draws

HUM_HARMONICS = 12
FAMILIES = 4  # stationary, modulated, hum, impulsive


def coloured_noise(
    white: tf.Tensor, slope: tf.Tensor, low: tf.Tensor, high: tf.Tensor
) -> tf.Tensor:
    """Colour and band-limit white noise [count, samples]; the power density falls as f^-slope.

    Args:
        slope: [count]; 0 is white, 1 pink, 2 brown, -1 blue.
        low, high: [count], edges of the band as fractions of Nyquist.
    """
    samples = white.shape[-1]
    frequency = tf.linspace(1.0 / samples, 1.0, samples // 2 + 1)[tf.newaxis]  # [1, bins]
    amplitude = frequency ** (-slope[:, tf.newaxis] / 2.0)
    inside = (frequency >= low[:, tf.newaxis]) & (frequency <= high[:, tf.newaxis])
    shape = tf.where(inside, amplitude, 0.01 * amplitude)  # 40 dB down outside
    return tf.signal.irfft(tf.signal.rfft(white) * tf.cast(shape, tf.complex64), [samples])


def modulation(
    rate_hz: tf.Tensor, depth: tf.Tensor, phase: tf.Tensor, time_s: tf.Tensor
) -> tf.Tensor:
    """Amplitude 1 + depth sin(2 pi rate t + phase), [count, samples]."""
    angle = 2.0 * math.pi * rate_hz[:, tf.newaxis] * time_s + phase[:, tf.newaxis]
    return 1.0 + depth[:, tf.newaxis] * tf.sin(angle)


def hum(mains_hz: tf.Tensor, decay: tf.Tensor, phases: tf.Tensor, time_s: tf.Tensor) -> tf.Tensor:
    """Harmonics of a fundamental [count], the k-th with amplitude k^-decay, [count, samples].

    Args:
        phases: [count, harmonics] in radians.
    """
    total = tf.zeros_like(mains_hz[:, tf.newaxis] * time_s)
    for index in range(HUM_HARMONICS):
        order = float(index + 1)
        angle = 2.0 * math.pi * order * mains_hz[:, tf.newaxis] * time_s
        amplitude = order ** -decay[:, tf.newaxis]
        total += amplitude * tf.sin(angle + phases[:, index, tf.newaxis])
    return total


def impulses(white: tf.Tensor, per_second: tf.Tensor, decay_s: tf.Tensor, rate: int) -> tf.Tensor:
    """Clicks and knocks: sparse random impulses, each a burst of noise that decays, [count, samples].

    Args:
        white: Gaussian noise [count, samples], which also chooses where the bursts begin.
        per_second: [count], mean number of bursts.
        decay_s: [count], time constant of their decay.
    """
    samples = white.shape[-1]
    # A sample of a Gaussian exceeds the threshold with the wanted probability.
    probability = tf.minimum(per_second / rate, 0.1)
    threshold = -tf.math.ndtri(probability)[:, tf.newaxis]
    starts = tf.cast(white > threshold, tf.float32)
    time_s = tf.range(samples, dtype=tf.float32)[tf.newaxis] / rate
    envelope = tf.exp(-time_s / decay_s[:, tf.newaxis])
    spectrum = tf.signal.rfft(starts) * tf.signal.rfft(envelope)
    bursts = tf.nn.relu(tf.signal.irfft(spectrum, [samples]))
    return bursts * tf.roll(white, 1, axis=-1)


def synthetic_noise(draws: Draws, samples: int, sample_rate: int) -> tf.Tensor:
    """One random noise per row of `draws`, float32 [count, samples], any level."""
    white = draws.normal(samples)
    time_s = tf.range(samples, dtype=tf.float32)[tf.newaxis] / sample_rate
    low = draws.log_uniform(0.0025, 0.25)
    high = draws.log_uniform(0.15, 1.0)
    limited = draws.chance(0.4)
    stationary = coloured_noise(
        white,
        draws.uniform(-0.5, 2.5),
        tf.where(limited, low, 0.0025),
        tf.where(limited, tf.maximum(high, 2.0 * low), 1.0),
    )
    stationary /= tf.maximum(tf.math.reduce_std(stationary, axis=-1, keepdims=True), 1e-9)
    family = tf.cast(draws.uniform(0.0, FAMILIES), tf.int32)[:, tf.newaxis]
    envelope = modulation(
        draws.log_uniform(0.3, 40.0), draws.uniform(0.3, 1.0), draws.uniform(0.0, 6.283), time_s
    )
    humming = hum(
        draws.log_uniform(45.0, 250.0),
        draws.uniform(0.2, 1.5),
        draws.uniform(0.0, 6.283, HUM_HARMONICS),
        time_s,
    )
    knocks = impulses(
        white, draws.log_uniform(0.7, 30.0), draws.log_uniform(0.001, 0.06), sample_rate
    )
    floor = draws.log_uniform(0.01, 0.3)[:, tf.newaxis]
    return tf.where(
        family == 0,
        stationary,
        tf.where(
            family == 1,
            stationary * envelope,
            tf.where(family == 2, humming + floor * stationary, knocks + 0.1 * floor * stationary),
        ),
    )
