"""Quantised features without a logarithm: the band powers at which an int8 feature steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfkd.config import FrontEndConfig
from tfkd.engines.streaming_model import Affine
from tfkd.frontend import log_features

Floats = NDArray[np.float32]

THRESHOLDS = 255
LARGEST = np.float32(np.finfo(np.float32).max)


def feature_thresholds(config: FrontEndConfig, frame: Affine) -> Floats:
    """For q = -127, ..., 127 the smallest band power whose quantised feature is at least q.

    A feature grows with its band power, so counting the thresholds that a power reaches gives
    exactly frame.quantize(log_features(power)), for every float32. They are found by bisection over
    the bits of positive floats, whose order is that of integers; there is no second formula.

    Returns:
        float32 [255], ascending; where no power reaches q, the largest float.
    """
    wanted = np.arange(-127, 128)
    reached = np.zeros(THRESHOLDS, np.uint32)  # bits of powers from here may be the answer
    beyond = np.full(THRESHOLDS, LARGEST.view(np.uint32))
    while (reached < beyond).any():
        middle = reached + (beyond - reached) // 2
        features = log_features(middle.view(np.float32), config)
        enough = frame.quantize(features) >= wanted
        beyond = np.where(enough, middle, beyond)
        reached = np.where(enough, reached, np.minimum(middle + 1, beyond))
    return beyond.view(np.float32)


def in_int16_units(thresholds: Floats) -> Floats:
    """Thresholds for samples of +-32768 instead of +-1: 2^30 times as large, exactly."""
    return np.where(thresholds < LARGEST, thresholds.astype(np.float64) * 2.0**30, LARGEST).astype(
        np.float32
    )
