"""Scaling integers by a real factor without floating point, rounded as TFLM rounds.

A factor f is kept as a multiplier m in [2^30, 2^31) and a shift s with f = m / 2^31 * 2^s.
Arrays are int64 throughout and hold values of the C++ type named in the docstring; this keeps
products exact and leaves one cast at the end of a kernel.

Sources: tensorflow/lite/kernels/internal/quantization_util.cc, .../internal/common.cc (double
rounding: TFLITE_SINGLE_ROUNDING is not defined in TFLM builds), gemmlowp fixedpoint/fixedpoint.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Int64Array = NDArray[np.int64]

INT32_MIN = -(2**31)
INT32_MAX = 2**31 - 1


def quantize_multiplier(factor: ArrayLike) -> tuple[Int64Array, Int64Array]:
    """Split real factors into int32 multipliers and shifts: factor ~= m * 2^(s - 31).

    m = round_half_away(frexp(factor).fraction * 2^31); factors below 2^-32 become m = s = 0.

    Args:
        factor: float64 scalar or array; at least 0.

    Returns:
        (multiplier, shift), both of the shape of `factor`.

    Raises:
        OverflowError: a factor of 2^31 or more.

    Source: QuantizeMultiplier in quantization_util.cc.
    """
    fraction, exponent = np.frexp(np.asarray(factor, dtype=np.float64))
    multiplier = round_half_away(fraction * 2.0**31).astype(np.int64)
    shift = exponent.astype(np.int64)
    carried = multiplier == 2**31
    multiplier = np.where(carried, 2**30, multiplier)
    shift = np.where(carried, shift + 1, shift)
    _check_shift(shift, 31)
    vanishes = (shift < -31) | (multiplier == 0)
    return np.where(vanishes, 0, multiplier), np.where(vanishes, 0, shift)


def quantize_multiplier_to_16_bits(factor: ArrayLike) -> tuple[Int64Array, Int64Array]:
    """`quantize_multiplier` for int64 accumulators: factor ~= m * 2^(s - 15) with m of 16 bits.

    Raises:
        OverflowError: a factor of 2^14 or more.
    """
    multiplier, shift = quantize_multiplier(factor)
    _check_shift(shift, 14)
    return reduce_multiplier_to_16_bits(multiplier), shift


def _check_shift(shift: Int64Array, largest: int) -> None:
    """OverflowError beyond the shifts that C++ defines for TFLM's integers."""
    if np.any(shift > largest):
        raise OverflowError(
            f"a factor between scales is 2^{int(np.max(shift)) - 1} or more, and TFLM's result "
            f"undefined from 2^{largest} on"
        )


def round_half_away(x: ArrayLike) -> NDArray[np.floating[Any]]:
    """Round to the nearest integer, ties away from zero, as C's round() does.

    The fraction is compared rather than 0.5 added: x + 0.5 itself rounds up for the largest
    number below 0.5. Source: TfLiteRound in cppmath.h.
    """
    values = np.asarray(x)
    whole = np.trunc(values)
    rounded: NDArray[np.floating[Any]] = whole + np.copysign(np.abs(values - whole) >= 0.5, values)
    return rounded.astype(values.dtype)


def wrap_int32(x: ArrayLike) -> Int64Array:
    """Keep the low 32 bits as a signed number: what an overflowing int32 holds on every target."""
    return np.asarray(x, dtype=np.int64).astype(np.int32).astype(np.int64)


def saturating_rounding_doubling_high_mul(a: ArrayLike, b: ArrayLike) -> Int64Array:
    """High half of 2ab for int32 a and b: floor((ab + 2^30) / 2^31), ties up.

    Only a = b = -2^31 saturates, to 2^31 - 1. Source: gemmlowp, same name (ARM's VQRDMULH).
    """
    product = np.asarray(a, dtype=np.int64) * np.asarray(b, dtype=np.int64)
    return np.minimum((product + 2**30) >> 31, INT32_MAX)


def rounding_divide_by_pot(x: ArrayLike, exponent: ArrayLike) -> Int64Array:
    """x / 2^exponent to the nearest integer, ties away from zero; 0 <= exponent <= 31.

    Source: gemmlowp RoundingDivideByPOT.
    """
    values = np.asarray(x, dtype=np.int64)
    bits = np.asarray(exponent, dtype=np.int64)
    half = (np.int64(1) << bits) >> 1
    below_zero = (values < 0) & (bits > 0)
    return (values + half - below_zero) >> bits


def saturating_rounding_multiply_by_pot(x: ArrayLike, exponent: int) -> Int64Array:
    """x * 2^exponent for int32 x: saturating for exponent > 0, rounding division for exponent < 0.

    Source: gemmlowp SaturatingRoundingMultiplyByPOT.
    """
    if exponent <= 0:
        return rounding_divide_by_pot(x, -exponent)
    values = np.asarray(x, dtype=np.int64)
    threshold = (1 << (31 - exponent)) - 1
    shifted = wrap_int32(values << exponent)
    shifted = np.where(values > threshold, INT32_MAX, shifted)
    return np.where(values < -threshold, INT32_MIN, shifted)


def multiply_by_quantized_multiplier(
    x: ArrayLike, multiplier: ArrayLike, shift: ArrayLike
) -> Int64Array:
    """x * m * 2^(s - 31) for an int32 x, rounded twice (ties up, then away from zero).

    y = rounding_divide_by_pot(high_mul(x * 2^max(s, 0), m), max(-s, 0)); the left shift wraps as
    int32 does. Source: MultiplyByQuantizedMultiplier(int32_t, ...) in common.cc.
    """
    s = np.asarray(shift, dtype=np.int64)
    left = np.maximum(s, 0)
    values = np.asarray(x, dtype=np.int64)
    if np.any(left):
        values = wrap_int32(values << left)
    return rounding_divide_by_pot(
        saturating_rounding_doubling_high_mul(values, multiplier), np.maximum(-s, 0)
    )


def reduce_multiplier_to_16_bits(multiplier: ArrayLike) -> Int64Array:
    """Round an int32 multiplier to its upper 16 bits, saturating at 0x7FFF.

    Source: MultiplyByQuantizedMultiplier(int64_t, ...) in common.cc, and
    DownScaleInt32ToInt16Multiplier in common.h.
    """
    m = np.asarray(multiplier, dtype=np.int64)
    return np.where(m < 0x7FFF0000, (m + (1 << 15)) >> 16, 0x7FFF)


@dataclass(frozen=True, eq=False)
class Requantizer:
    """Scale accumulators to the output's scale, add its zero point, clamp: one conv or dense tail.

    y = clamp(multiply_by_quantized_multiplier(acc, m, s) + zero_point, low, high), with all that
    does not depend on acc worked out once. `wide` takes the int64 variant of 16x8 kernels.
    The multipliers are scalars, or arrays along the last axis (one per output channel).

    Example:
        >>> half = Requantizer.from_factor(0.5, zero_point=3, low=-128, high=127)
        >>> half(np.array([7, -7, 1000]), np.dtype(np.int8)).tolist()
        [7, 0, 127]
    """

    multiplier: Int64Array
    rounding: Int64Array
    right_shift: Int64Array
    left_shift: Int64Array | None
    sign_mask: Int64Array | None
    zero_point: int
    low: int
    high: int
    wide: bool

    @classmethod
    def from_factor(
        cls, factor: ArrayLike, *, zero_point: int, low: int, high: int, wide: bool = False
    ) -> Requantizer:
        """Prepare the scaling by `factor` (float64, input scale * filter scale / output scale)."""
        if wide:
            multiplier, shift = quantize_multiplier_to_16_bits(factor)
            right = 15 - shift
            rounding = np.int64(1) << (right - 1)
            return cls(multiplier, rounding, right, None, None, zero_point, low, high, wide)
        multiplier, shift = quantize_multiplier(factor)
        left, right = np.maximum(shift, 0), np.maximum(-shift, 0)
        # The zero point is added before the last shift, where it commutes with the floor.
        rounding = ((np.int64(1) << right) >> 1) + (np.int64(zero_point) << right)
        return cls(
            multiplier,
            rounding,
            right,
            left if np.any(left) else None,
            None if np.all(right > 0) else np.where(right > 0, np.int64(-1), np.int64(0)),
            zero_point,
            low,
            high,
            wide,
        )

    def __call__(self, acc: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
        """Requantise int32 (or, when wide, int64) accumulators into a new array of `dtype`."""
        values = acc.astype(np.int64)
        if self.left_shift is not None:
            values = wrap_int32(values << self.left_shift)
        values *= self.multiplier
        if not self.wide:
            values += 2**30
            values >>= 31
            # Ties away from zero: one less before the floor where the number is negative.
            sign = values >> 63
            if self.sign_mask is not None:
                sign &= self.sign_mask
            values += sign
        values += self.rounding
        values >>= self.right_shift
        if self.wide:
            # The wide product is cut to int32 before the zero point is added.
            values = wrap_int32(values)
            values += self.zero_point
        np.maximum(values, self.low, out=values)
        np.minimum(values, self.high, out=values)
        return values.astype(dtype)
