"""Folded filters against the fixed-point formula, accumulator by accumulator."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from wide_rounding import multiply_int64_by_quantized_multiplier

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
)
from firmware_ref.kernels.scaled_filter import OutputRange, ScaledFilter

INPUTS = np.arange(-128, 128, dtype=np.float64)[:, np.newaxis]  # every int8


def run(weights, offset, factor, output, dtype=np.int8):
    """ScaledFilter's output for every input: shape (256, channels); and whether it was folded."""
    weights, offset = np.asarray([weights], np.int64), np.asarray(offset, np.int64)
    filters = ScaledFilter(weights, offset, np.asarray(factor, np.float64), 128, output)
    out = np.empty((256, weights.shape[1]), dtype)
    product = INPUTS @ filters.weights + filters.offset
    filters.rounding(product, out)()
    return out, filters.is_folded


def expected(weights, offset, factor, output):
    """TFLM's formula on the exact accumulators."""
    acc = INPUTS.astype(np.int64) * np.asarray(weights) + np.asarray(offset)
    scale = (
        multiply_int64_by_quantized_multiplier
        if output.wide
        else (multiply_by_quantized_multiplier)
    )
    scaled = scale(acc, *quantize_multiplier(np.asarray(factor, np.float64)))
    return np.clip(scaled + output.zero_point, output.low, output.high)


channels = st.integers(1, 5)
zero_points = st.integers(-128, 127)


@given(
    weights=st.lists(st.integers(-127, 127), min_size=4, max_size=4),
    offset=st.lists(st.integers(-40_000, 40_000), min_size=4, max_size=4),
    exponent=st.lists(st.floats(-14, 1.5), min_size=4, max_size=4),
    zero_point=zero_points,
    relu=st.booleans(),
)
@example([1, 1, 1, 1], [0, 128, -128, 64], [-1.0, -7.0, -8.0, -9.0], 0, False)
@example([1, -1, 127, -127], [0, 1, -1, 0], [0.0, 0.0, 1.0, -12.0], -128, True)
def test_int8_outputs_follow_the_doubly_rounded_formula(
    weights, offset, exponent, zero_point, relu
):
    factor = np.exp2(exponent)
    output = OutputRange(zero_point, zero_point if relu else -128, 127)
    out, _ = run(weights, offset, factor, output)
    np.testing.assert_array_equal(out, expected(weights, offset, factor, output))


@given(
    shift=st.integers(1, 12),
    halves=st.lists(st.integers(-600, 600), min_size=4, max_size=4),
    nudge=st.sampled_from([-1, 0, 1]),
)
def test_ties_round_away_from_zero(shift, halves, nudge):
    """Accumulators at and next to k + 1/2 output steps, where double rounding shows."""
    factor = np.full(4, 2.0**-shift)
    offset = [half * 2 ** (shift - 1) + nudge for half in halves]
    output = OutputRange(3, -128, 127)
    out, is_folded = run([1, -1, 1, -1], offset, factor, output)
    assert is_folded
    np.testing.assert_array_equal(out, expected([1, -1, 1, -1], offset, factor, output))


@given(
    weights=st.lists(st.integers(-127, 127), min_size=3, max_size=3),
    offset=st.lists(st.integers(-(2**36), 2**36), min_size=3, max_size=3),
    exponent=st.lists(st.floats(-24, -3), min_size=3, max_size=3),
)
def test_wide_accumulators_follow_the_singly_rounded_formula(weights, offset, exponent):
    factor = np.exp2(exponent)
    output = OutputRange(0, -(2**15), 2**15 - 1, wide=True)
    out, _ = run(weights, offset, factor, output, np.int16)
    np.testing.assert_array_equal(out, expected(weights, offset, factor, output))


@pytest.mark.parametrize(
    ("weights", "offset", "factor"),
    [
        ([127], [2**30], [2.0**-4]),  # products exact, offset beyond 2^22
        ([1], [0], [2.0**-20]),  # too fine a grid for the signed rounding
        ([127], [2**31 - 1], [2.0**-16]),  # wraps around in int32
    ],
)
def test_what_breaks_a_bound_is_scaled_in_integers(weights, offset, factor):
    output = OutputRange(0, -128, 127)
    out, is_folded = run(weights, offset, factor, output)
    assert not is_folded
    acc = (INPUTS.astype(np.int64) * weights + offset).astype(np.int32).astype(np.int64)
    scaled = multiply_by_quantized_multiplier(acc, *quantize_multiplier(np.asarray(factor)))
    np.testing.assert_array_equal(out, np.clip(scaled, -128, 127))


def test_a_typical_student_layer_is_folded():
    rng = np.random.default_rng(0)
    weights = np.clip(rng.normal(0, 40, (288, 32)), -127, 127).astype(np.int64)
    offset = rng.integers(-60_000, 60_000, 32)
    for low in (-128, -10):
        filters = ScaledFilter(weights, offset, np.full(32, 0.002), 128, OutputRange(-10, low, 127))
        assert filters.is_folded
