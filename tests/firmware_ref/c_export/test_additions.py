"""Additions with one rounding: TFLM's result for each of the 65536 pairs, or none at all."""

from types import SimpleNamespace

import numpy as np
import pytest

from firmware_ref.c_export.additions import BYTES, _sums, fitted_addition


def sums_of(scales, zero_points):
    """TFLM's sums, and the ratios of the inputs' scales to the output's."""
    a, b, y = (
        SimpleNamespace(scale=np.float32(scale), zero_point=zero_point)
        for scale, zero_point in zip(scales, zero_points, strict=True)
    )
    return _sums(a, b, y), scales[0] / scales[2], scales[1] / scales[2]


def results(addition):
    sums = BYTES[:, np.newaxis] * addition.multiplier + addition.from_b
    assert np.abs(sums).max() < 2**31
    return np.clip(sums >> addition.shift, -128, 127)


@pytest.mark.parametrize("seed", range(6))
def test_every_pair_of_any_scales(seed):
    rng = np.random.default_rng(seed)
    sums, *ratios = sums_of(rng.uniform(0.02, 0.1, 3), rng.integers(-128, 128, 3))
    addition = fitted_addition(sums, *ratios)
    assert addition is not None
    assert np.array_equal(results(addition), sums)


@pytest.mark.parametrize("scales", [(0.05, 0.05, 0.05), (0.05, 0.05, 0.1), (0.25, 0.5, 1.0)])
def test_ties_round_away_from_zero(scales):
    sums, *ratios = sums_of(scales, (0, 0, 0))
    addition = fitted_addition(sums, *ratios)
    assert addition is not None
    assert np.array_equal(results(addition), sums)
    if scales[0] == scales[1] == scales[2] / 2:
        assert results(addition)[128 + 1, 128 + 2] == 2  # 1.5
        assert results(addition)[128 - 1, 128 - 2] == -2


def test_scales_that_leave_no_line():
    sums, *ratios = sums_of((0.06, 0.05, 0.1), (-5, -4, 56))
    assert fitted_addition(sums, *ratios) is None


def test_scales_too_far_apart():
    sums, *_ = sums_of((0.06, 0.05, 0.1), (-5, -4, 56))
    assert fitted_addition(sums, 1e8, 1.0) is None
