"""One rounding instead of two: every accumulator gives TFLM's output."""

import numpy as np
import pytest

from firmware_ref.c_export.staircase import single_rounding
from firmware_ref.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier

LARGEST = np.array([3_000, 20_000, 150_000])


def outputs(found, channel, x):
    scaled = ((x + found.bias[channel]) * found.multiplier[channel]) >> 32
    return np.clip((scaled + found.rounding[channel]) >> found.shift, -128, 127)


@pytest.mark.parametrize("seed", range(4))
def test_every_accumulator_behind_a_relu_gives_the_same_output(seed):
    factors = np.random.default_rng(seed).uniform(0.1, 1.5, 3) * 600 / LARGEST
    multiplier, shift = quantize_multiplier(factors)
    found = single_rounding(LARGEST, multiplier, shift, zero_point=-128)
    assert found is not None
    for channel, largest in enumerate(LARGEST):
        x = np.arange(-largest, largest + 1)
        scaled = multiply_by_quantized_multiplier(x, multiplier[channel], shift[channel])
        assert np.array_equal(outputs(found, channel, x), np.clip(scaled - 128, -128, 127))


def test_results_stay_within_int32():
    multiplier, shift = quantize_multiplier(np.array([0.2, 0.01, 1e-9]))
    found = single_rounding(np.array([500, 40_000, 2**30 - 1025]), multiplier, shift, -128)
    assert found is not None
    assert (found.multiplier >= 0).all() and (found.multiplier < 2**31).all()
    assert (np.abs(found.bias) <= 2**29).all()


def test_a_channel_that_never_steps_is_constant():
    multiplier, shift = quantize_multiplier(np.array([0.01, 1e-9]))
    found = single_rounding(np.array([9_000, 9_000]), multiplier, shift, -100)
    assert found is None or set(outputs(found, 1, np.arange(-9_000, 9_001))) == {-100}
    zero = single_rounding(np.array([0]), np.array([0]), np.array([0]), 7)
    assert zero is not None and outputs(zero, 0, np.zeros(1, np.int64)) == [7]


def test_a_channel_without_weights_costs_the_others_no_precision():
    multiplier, shift = quantize_multiplier(np.array([0.01, 3.0]))
    found = single_rounding(np.array([9_000, 0]), multiplier, shift, zero_point=-128)
    alone = single_rounding(np.array([9_000]), multiplier[:1], shift[:1], zero_point=-128)
    assert found is not None and alone is not None
    assert (found.shift, found.multiplier[0]) == (alone.shift, alone.multiplier[0])
    assert outputs(found, 1, np.zeros(1, np.int64)) == [-128]


def test_stairs_on_both_sides_of_zero_lie_on_no_line():
    multiplier, shift = quantize_multiplier(np.array([0.0037]))
    assert single_rounding(np.array([40_000]), multiplier, shift, 0) is None


@pytest.mark.parametrize("seed", range(4))
def test_large_factors_take_enlarged_accumulators(seed):
    factors = np.random.default_rng(seed).uniform([0.5, 0.9, 0.1], [0.6, 5.0, 0.4])
    multiplier, shift = quantize_multiplier(factors)
    found = single_rounding(np.full(3, 600), multiplier, shift, zero_point=-128)
    assert found is not None
    assert found.enlargement.tolist() == [2, 2 ** (shift[1] + 1), 1]
    x = np.arange(-600, 601)
    for channel in range(3):
        scaled = multiply_by_quantized_multiplier(x, multiplier[channel], shift[channel])
        enlarged = x * found.enlargement[channel]
        assert np.array_equal(outputs(found, channel, enlarged), np.clip(scaled - 128, -128, 127))


def test_factors_that_would_overflow_are_left_alone():
    for factor, largest in [(0.5, 2**29), (256.0, 10)]:
        multiplier, shift = quantize_multiplier(np.array([0.1, factor]))
        assert single_rounding(np.array([500, largest]), multiplier, shift, -128) is None
