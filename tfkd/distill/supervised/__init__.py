"""The supervised loss of enhanced speech against clean speech: a weighted sum of distances."""

from tfkd.distill.supervised.envelope import envelope_distance
from tfkd.distill.supervised.loudness import loudness_distance
from tfkd.distill.supervised.si_sdr import negative_si_sdr
from tfkd.distill.supervised.spectral import spectral_loss
from tfkd.distill.supervised.total import SupervisedLoss

__all__ = [
    "SupervisedLoss",
    "envelope_distance",
    "loudness_distance",
    "negative_si_sdr",
    "spectral_loss",
]
