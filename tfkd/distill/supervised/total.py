"""The supervised loss that a configuration asks for."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from tfkd.config import FrontEndConfig, LossConfig
from tfkd.distill.supervised.envelope import envelope_distance
from tfkd.distill.supervised.loudness import loudness_distance
from tfkd.distill.supervised.si_sdr import negative_si_sdr
from tfkd.distill.supervised.spectral import power, spectral_loss


@dataclass(frozen=True)
class SupervisedLoss:
    """spectral_loss + loudness x loudness_distance + envelope x envelope_distance
    + si_sdr x negative_si_sdr.

    Args:
        config: the weights.
        frontend: of the spectra.
    """

    config: LossConfig
    frontend: FrontEndConfig

    def __call__(self, mask: tf.Tensor, noisy: tf.Tensor, clean: tf.Tensor) -> tf.Tensor:
        """Loss of every example, float32 [batch].

        Args:
            mask: float32 [batch, frames, bins] in [0, 1].
            noisy: complex64 [batch, frames, bins].
            clean: complex64 [batch, frames, bins].
        """
        total = spectral_loss(mask, noisy, clean)
        enhanced_power, clean_power = tf.square(mask) * power(noisy), power(clean)
        if self.config.loudness:
            distance = loudness_distance(enhanced_power, clean_power, self.frontend)
            total += self.config.loudness * distance
        if self.config.envelope:
            distance = envelope_distance(enhanced_power, clean_power, self.frontend)
            total += self.config.envelope * distance
        if self.config.si_sdr:
            total += self.config.si_sdr * negative_si_sdr(mask, noisy, clean)
        return total
