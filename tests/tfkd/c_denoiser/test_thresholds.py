"""Counting thresholds gives the quantised feature, exactly, for every band power."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfkd.c_denoiser.thresholds import THRESHOLDS, feature_thresholds
from tfkd.config import FrontEndConfig
from tfkd.engines.streaming_model import Affine
from tfkd.frontend import log_features

CONFIG = FrontEndConfig(floor_db=-60.0, ceiling_db=50.0)
SCALES = [Affine(2.0**-7, 0), Affine(1 / 127, 0), Affine(0.0101, 17), Affine(0.0078, -3)]


def quantized(power, frame, config=CONFIG):
    return frame.quantize(log_features(np.asarray(power, np.float32), config))


def counted(power, thresholds):
    """What the C code finds."""
    return np.searchsorted(thresholds, np.asarray(power, np.float32), side="right") - 128


@pytest.mark.parametrize("frame", SCALES)
def test_both_sides_of_every_threshold(frame):
    thresholds = feature_thresholds(CONFIG, frame)
    assert (thresholds.dtype, len(thresholds)) == (np.float32, THRESHOLDS)
    finite = thresholds[thresholds < np.finfo(np.float32).max]
    above, below = (np.nextafter(finite, np.float32(limit)) for limit in (np.inf, 0))
    for power in (finite, above, below):
        assert np.array_equal(counted(power, thresholds), quantized(power, frame))


@pytest.mark.parametrize("frame", SCALES)
@given(powers=st.lists(st.floats(0, 1e9, width=32), min_size=1))
def test_any_power(frame, powers):
    thresholds = feature_thresholds(CONFIG, frame)
    assert np.array_equal(counted(powers, thresholds), quantized(powers, frame))


def test_a_threshold_by_hand():
    # scale 2^-7, zero point 0: q = 0 from -1/256 on, in the middle of -60 .. 50 dB
    decibels = -5.0 - 110.0 / 2 / 256
    threshold = feature_thresholds(CONFIG, SCALES[0])[127]
    assert threshold == pytest.approx(10 ** (decibels / 10), rel=1e-6)


def test_values_that_no_power_reaches():
    # the highest feature, 1, is q = 64; the lowest is -64
    thresholds = feature_thresholds(CONFIG, Affine(1 / 64, 0))
    assert (thresholds[:64] == 0).all()
    assert (thresholds[64 + 128 :] == np.finfo(np.float32).max).all()
    assert counted([0.0, 1e9], thresholds).tolist() == [-64, 64]
