"""Scale-invariant signal-to-distortion ratio of masked spectra, as a loss in dB."""

from __future__ import annotations

import tensorflow as tf

from tfkd.distill.supervised.spectral import power
from tfkd.frontend_tf import DECIBELS_PER_NEPER

CEILING, FLOOR = 1e3, 1e-3  # +-30 dB: beyond, the loss is flat
SILENCE = 1e-12


def negative_si_sdr(mask: tf.Tensor, noisy: tf.Tensor, clean: tf.Tensor) -> tf.Tensor:
    """Minus the SI-SDR of mask x noisy against clean, in dB, limited to about +-30 dB.

    Formula, with inner products over all frames and bins of an example, E = mask x noisy:
    -10 log10(<E, S>^2 / (|E|^2 |S|^2 - <E, S>^2 + |X|^2 |S|^2 / 1000) + 1/1000). Windows that
    overlap to unity keep inner products, so this is the ratio of the waveforms but for what
    overlap-add takes away from the masked spectra.

    Source: Le Roux et al., "SDR - half-baked or well done?", ICASSP 2019, eq. 3.

    Args:
        mask: float32 [batch, frames, bins] in [0, 1].
        noisy: complex64 [batch, frames, bins], X.
        clean: complex64 [batch, frames, bins], S.

    Returns:
        float32 [batch].
    """
    noisy_power = power(noisy)
    agreement = tf.math.real(noisy) * tf.math.real(clean)
    agreement += tf.math.imag(noisy) * tf.math.imag(clean)
    common = tf.square(tf.reduce_sum(mask * agreement, axis=(1, 2)))
    clean_energy = tf.reduce_sum(power(clean), axis=(1, 2))
    enhanced_energy = tf.reduce_sum(tf.square(mask) * noisy_power, axis=(1, 2))
    least = tf.reduce_sum(noisy_power, axis=(1, 2)) * clean_energy / CEILING + SILENCE
    distortion = tf.nn.relu(enhanced_energy * clean_energy - common) + least
    return -DECIBELS_PER_NEPER * tf.math.log(common / distortion + FLOOR)
