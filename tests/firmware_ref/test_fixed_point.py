"""Fixed-point scaling against the same formulas written with Python's unbounded integers."""

from __future__ import annotations

import doctest
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wide_rounding import multiply_int64_by_quantized_multiplier

from firmware_ref import fixed_point
from firmware_ref.fixed_point import (
    Requantizer,
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    quantize_multiplier_to_16_bits,
    round_half_away,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
    wrap_int32,
)

INT32_MIN, INT32_MAX = -(2**31), 2**31 - 1
int32s = st.one_of(
    st.integers(INT32_MIN, INT32_MAX),
    st.integers(-300, 300),
    st.sampled_from([INT32_MIN, INT32_MIN + 1, -1, 0, 1, INT32_MAX - 1, INT32_MAX]),
)
multipliers = st.integers(2**30, INT32_MAX)


def truncated_quotient(a: int, b: int) -> int:
    """a / b rounded towards zero, as C divides."""
    return abs(a) // abs(b) * (1 if (a >= 0) == (b >= 0) else -1)


def high_mul(a: int, b: int) -> int:
    if a == b == INT32_MIN:
        return INT32_MAX
    product = a * b
    nudge = 2**30 if product >= 0 else 1 - 2**30
    return truncated_quotient(product + nudge, 2**31)


def divide_by_pot(x: int, exponent: int) -> int:
    quotient = Fraction(abs(x), 2**exponent)
    magnitude = math.floor(quotient + Fraction(1, 2))
    return magnitude if x >= 0 else -magnitude


def scaled(x: int, multiplier: int, shift: int) -> int:
    return divide_by_pot(high_mul(x << max(shift, 0), multiplier), max(-shift, 0))


@given(int32s, int32s)
def test_high_mul(a: int, b: int) -> None:
    assert saturating_rounding_doubling_high_mul(a, b) == high_mul(a, b)


@given(int32s, st.integers(0, 31))
def test_rounding_divide_by_pot(x: int, exponent: int) -> None:
    assert rounding_divide_by_pot(x, exponent) == divide_by_pot(x, exponent)


@given(int32s, st.integers(1, 8))
def test_multiply_by_pot_saturates(x: int, exponent: int) -> None:
    result = int(saturating_rounding_multiply_by_pot(x, exponent))
    if abs(x) < 2 ** (31 - exponent) - 1:
        assert result == x << exponent
    elif abs(x) >= 2 ** (31 - exponent):
        assert result == (INT32_MAX if x > 0 else INT32_MIN)


@given(int32s, multipliers, st.integers(-31, 0))
def test_multiply_by_quantized_multiplier_shifting_right(x: int, m: int, shift: int) -> None:
    assert multiply_by_quantized_multiplier(x, m, shift) == scaled(x, m, shift)


@given(st.integers(-(2**16), 2**16), multipliers, st.integers(1, 14))
def test_multiply_by_quantized_multiplier_shifting_left(x: int, m: int, shift: int) -> None:
    assert multiply_by_quantized_multiplier(x, m, shift) == scaled(x, m, shift)


@given(st.integers(-(2**40), 2**40), multipliers, st.integers(-31, -10))
def test_multiply_int64(x: int, m: int, shift: int) -> None:
    reduced = (m + 2**15) >> 16 if m < 0x7FFF0000 else 0x7FFF
    total = 15 - shift
    expected = (x * reduced + (1 << (total - 1))) >> total
    assert multiply_int64_by_quantized_multiplier(x, m, shift) == expected


@given(st.floats(2.0**-30, 2.0**30))
def test_quantize_multiplier_is_the_nearest(factor: float) -> None:
    multiplier, shift = (int(v) for v in quantize_multiplier(factor))
    assert 2**30 <= multiplier <= INT32_MAX
    step = Fraction(2) ** (shift - 31)
    assert abs(Fraction(factor) - multiplier * step) <= step / 2


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (0.0, (0, 0)),
        (1.0, (2**30, 1)),
        (0.5, (2**30, 0)),
        (0.75, (3 * 2**29, 0)),
        (1.0 - 2.0**-40, (2**30, 1)),  # rounds to 2^31 and carries into the shift
        (2.0**-32, (2**30, -31)),
        (2.0**-33, (0, 0)),  # would need a shift of -32
    ],
)
def test_quantize_multiplier_by_hand(factor: float, expected: tuple[int, int]) -> None:
    multiplier, shift = quantize_multiplier(factor)
    assert (int(multiplier), int(shift)) == expected


def test_factors_that_cpp_leaves_undefined_are_refused() -> None:
    assert int(quantize_multiplier(2.0**31 - 1.0)[1]) == 31
    with pytest.raises(OverflowError, match=r"is 2\^31 or more"):
        quantize_multiplier([1.0, 2.0**31])
    assert int(quantize_multiplier_to_16_bits(2.0**14 - 1.0)[1]) == 14
    with pytest.raises(OverflowError, match=r"is 2\^20 or more.*undefined from 2\^14 on"):
        quantize_multiplier_to_16_bits(2.0**20)


@pytest.mark.parametrize(
    ("x", "expected"),
    [(0.5, 1), (-0.5, -1), (1.5, 2), (2.5, 3), (-2.5, -3), (0.49999999999999994, 0), (7.0, 7)],
)
def test_round_half_away(x: float, expected: int) -> None:
    assert round_half_away(x) == expected


@given(st.integers(-(2**40), 2**40))
def test_wrap_int32(x: int) -> None:
    assert wrap_int32(x) == (x + 2**31) % 2**32 - 2**31


@given(
    st.lists(st.integers(-(2**20), 2**20), min_size=1, max_size=20),
    st.lists(st.floats(2.0**-20, 8.0), min_size=1, max_size=4),
    st.integers(-128, 127),
)
def test_requantizer_equals_its_parts(acc: list[int], factors: list[float], zero: int) -> None:
    requantize = Requantizer.from_factor(factors, zero_point=zero, low=-128, high=127)
    table = np.array(acc, np.int32)[:, np.newaxis].repeat(len(factors), axis=1)
    multiplier, shift = quantize_multiplier(factors)
    exact = multiply_by_quantized_multiplier(table, multiplier, shift) + zero
    result = requantize(table, np.dtype(np.int8))
    assert result.dtype == np.int8
    np.testing.assert_array_equal(result, np.clip(exact, -128, 127))


@given(
    st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=20),
    st.lists(st.floats(2.0**-30, 2.0**-10), min_size=1, max_size=4),
)
def test_wide_requantizer_equals_its_parts(acc: list[int], factors: list[float]) -> None:
    requantize = Requantizer.from_factor(factors, zero_point=0, low=-32768, high=32767, wide=True)
    table = np.array(acc, np.int64)[:, np.newaxis].repeat(len(factors), axis=1)
    multiplier, shift = quantize_multiplier(factors)
    exact = multiply_int64_by_quantized_multiplier(table, multiplier, shift)
    np.testing.assert_array_equal(
        requantize(table, np.dtype(np.int16)), np.clip(exact, -32768, 32767)
    )


def test_the_example_runs() -> None:
    results = doctest.testmod(fixed_point)
    assert (results.attempted, results.failed) == (2, 0)
