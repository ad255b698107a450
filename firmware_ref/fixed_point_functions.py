"""exp, logistic, tanh, 1/x and 1/sqrt(x) on 32-bit fixed-point numbers, as gemmlowp has them.

A number in format Qm.n is an int32 raw value with n = 31 - m fractional bits. Values live in int64
arrays; multiplication of fixed-point numbers is `saturating_rounding_doubling_high_mul`.

Sources: gemmlowp fixedpoint/fixedpoint.h, and GetReciprocal and GetInvSqrtQuantizedMultiplierExp in
tensorflow/lite/kernels/internal/common.h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from firmware_ref.fixed_point import (
    INT32_MAX,
    Int64Array,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    saturating_rounding_multiply_by_pot,
    wrap_int32,
)

_mul = saturating_rounding_doubling_high_mul

_EXP_MINUS_ONE_EIGHTH = 1895147668  # Q0.31
_ONE_THIRD = 715827883  # Q0.31
# exp(-2^k) in Q0.31, by k: the factors of the barrel shifter.
_EXP_OF_MINUS_POWER = {
    -2: 1672461947,
    -1: 1302514674,
    0: 790015084,
    1: 290630308,
    2: 39332535,
    3: 720401,
    4: 242,
}
_48_OVER_17 = 1515870810  # Q2.29: start of the Newton-Raphson division
_MINUS_32_OVER_17 = -1010580540  # Q2.29
_ONE_Q2 = 1 << 29
_ONE_Q3 = 1 << 28  # Q3.28
_ONE_AND_A_HALF_Q3 = (1 << 28) + (1 << 27)
_HALF_SQRT_2 = 1518500250  # Q0.31


def _exp_between_minus_one_quarter_and_0(a: Int64Array) -> Int64Array:
    """exp(a) in Q0.31 for a in [-1/4, 0) in Q0.31: Taylor series of degree 4 around -1/8."""
    x = a + (1 << 28)
    x2 = _mul(x, x)
    x3 = _mul(x2, x)
    x4_over_4 = rounding_divide_by_pot(_mul(x2, x2), 2)
    higher_terms = rounding_divide_by_pot(_mul(x4_over_4 + x3, _ONE_THIRD) + x2, 1)
    return _EXP_MINUS_ONE_EIGHTH + _mul(_EXP_MINUS_ONE_EIGHTH, x + higher_terms)


def exp_on_negative_values(a: ArrayLike, integer_bits: int) -> Int64Array:
    """exp(a) in Q0.31 for a <= 0 in Q(integer_bits); exp(0) is the largest Q0.31 number.

    exp(a) = exp(a mod 1/4 - 1/4) * product of exp(-2^k) over the bits of the rest.
    `integer_bits` is at most 5. Source: gemmlowp exp_on_negative_values.
    """
    raw = np.asarray(a, dtype=np.int64)
    fractional_bits = 31 - integer_bits
    one_quarter = 1 << (fractional_bits - 2)
    a_mod_quarter_minus_quarter = (raw & (one_quarter - 1)) - one_quarter
    result = _exp_between_minus_one_quarter_and_0(a_mod_quarter_minus_quarter << integer_bits)
    remainder = a_mod_quarter_minus_quarter - raw
    for power, factor in _EXP_OF_MINUS_POWER.items():
        if power < integer_bits:
            bit = (remainder >> (fractional_bits + power)) & 1
            result = np.where(bit != 0, _mul(result, factor), result)
    return np.where(raw == 0, INT32_MAX, result)


def _reciprocal_of_half_one_plus(a: Int64Array) -> Int64Array:
    """2 / (1 + a) in Q2.29 for a in [0, 1] in Q0.31: three Newton-Raphson steps."""
    half_denominator = (a + INT32_MAX + 1) >> 1  # a >= 0: rounding half sum, ties up
    x = _48_OVER_17 + _mul(half_denominator, _MINUS_32_OVER_17)
    for _ in range(3):
        one_minus = _ONE_Q2 - _mul(half_denominator, x)
        x = x + saturating_rounding_multiply_by_pot(_mul(x, one_minus), 2)
    return x


def one_over_one_plus_x(a: ArrayLike) -> Int64Array:
    """1 / (1 + a) in Q0.31 for a in [0, 1] in Q0.31.

    Source: gemmlowp one_over_one_plus_x_for_x_in_0_1.
    """
    x = _reciprocal_of_half_one_plus(np.asarray(a, dtype=np.int64))
    return saturating_rounding_multiply_by_pot(x, 1)


def one_minus_x_over_one_plus_x(a: ArrayLike) -> Int64Array:
    """(1 - a) / (1 + a) in Q0.31 for a in [0, 1] in Q0.31.

    Source: gemmlowp one_minus_x_over_one_plus_x_for_x_in_0_1.
    """
    x = _reciprocal_of_half_one_plus(np.asarray(a, dtype=np.int64))
    return saturating_rounding_multiply_by_pot(x - _ONE_Q2, 2)


def logistic(a: ArrayLike, integer_bits: int) -> Int64Array:
    """1 / (1 + exp(-a)) in Q0.31 for a in Q(integer_bits). Source: gemmlowp logistic."""
    raw = np.asarray(a, dtype=np.int64)
    positive = one_over_one_plus_x(exp_on_negative_values(-np.abs(raw), integer_bits))
    result = np.where(raw > 0, positive, INT32_MAX - positive)
    return np.where(raw == 0, 1 << 30, result)


def tanh(a: ArrayLike, integer_bits: int) -> Int64Array:
    """tanh(a) in Q0.31 for a in Q(integer_bits): (1 - exp(-2a)) / (1 + exp(-2a)).

    Doubling a costs nothing: its raw value is read with one more integer bit.
    Source: gemmlowp tanh.
    """
    raw = np.asarray(a, dtype=np.int64)
    exponential = exp_on_negative_values(-np.abs(raw), integer_bits + 1)
    magnitude = one_minus_x_over_one_plus_x(exponential)
    return np.where(raw == 0, 0, np.where(raw < 0, -magnitude, magnitude))


def count_leading_zeros_32(x: ArrayLike) -> Int64Array:
    """Number of leading zero bits of a 32-bit x > 0. Source: CountLeadingZeros in common.h."""
    exponent = np.frexp(np.asarray(x, dtype=np.float64))[1]
    return 32 - exponent.astype(np.int64)


def reciprocal(x: ArrayLike, integer_bits: int) -> tuple[Int64Array, Int64Array]:
    """(r, k) with 1 / x = r * 2^-k, r in Q0.31, for x > 0 in Q(integer_bits).

    x is normalised to 1 + f, f in [0, 1), then r = 1 / (1 + f). Source: GetReciprocal in common.h.
    """
    raw = np.asarray(x, dtype=np.int64)
    headroom_plus_one = count_leading_zeros_32(raw)
    fraction = (raw << headroom_plus_one) - (1 << 31)
    return one_over_one_plus_x(fraction), integer_bits - headroom_plus_one


def inverse_square_root(x: ArrayLike) -> tuple[Int64Array, Int64Array]:
    """1 / sqrt(x) as (m, s) with 1 / sqrt(x) = m * 2^(s - 31), for 1 <= x < 2^29.

    x is brought into [1/2, 2) times a power of four; five Newton-Raphson steps
    r <- 1.5 r - x r^3 / 2 from r = 1 in Q3.28 follow. Of 1: (2^31 - 1, 0).
    Source: GetInvSqrtQuantizedMultiplierExp in common.h.
    """
    values = np.asarray(x, dtype=np.int64)
    pairs = (count_leading_zeros_32(values) - 1) // 2 - 1
    half_input = rounding_divide_by_pot((values << (2 * pairs)) >> 1, 1)
    root = np.full_like(values, _ONE_Q3)
    for _ in range(5):
        cube = saturating_rounding_multiply_by_pot(_mul(_mul(root, root), root), 6)
        step = wrap_int32(_mul(_ONE_AND_A_HALF_Q3, root) - _mul(half_input, cube))
        root = saturating_rounding_multiply_by_pot(step, 3)
    root = _mul(root, _HALF_SQRT_2)
    right = 11 - pairs
    root = root << np.maximum(-right, 0)
    return np.where(values == 1, INT32_MAX, root), np.where(values == 1, 0, -np.maximum(right, 0))
