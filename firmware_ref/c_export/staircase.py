"""Outputs of accumulators by one multiplication, where that gives the bits of TFLM's two roundings.

As a function of its accumulator x an int8 output is a staircase: it steps to q at some x_q. TFLM
rounds twice, the second time away from zero, so that stairs below zero lie a little off those
above. Behind a ReLU there are none below zero, and all x_q lie on one line but for what rounding
to whole accumulators leaves free. Then

    output = (floor((x + bias) * multiplier / 2^32) + rounding) >> shift, saturated to int8,

has the same stairs, for some numbers that are looked for here and checked at every stair. Factors
below 1/2 leave room for that; where one is larger, the channel's weights and with them x are
enlarged by a power of two and the factor is that much smaller.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import multiply_by_quantized_multiplier

Int64Array = NDArray[np.int64]

STAIRS = np.arange(-127, 128)
TRIED_SLOPES = np.arange(-8, 9)
TRIED_ROUNDINGS = (2**10, 2**16)
"""How far from the one that needs no bias: first near, then far."""
LARGEST_BIAS = 2**29
LARGEST_SHIFT = 16
LARGEST_ENLARGEMENT = 2**8
"""int8 weights stay within int16."""


@dataclass(frozen=True)
class SingleRounding:
    """A multiplication for each output channel: all int64[channels] but the shift.

    Attributes:
        enlargement: what weights and bias, and so x, are multiplied with first: 1 or a power of 2.
        bias: is added to that.
    """

    enlargement: Int64Array
    bias: Int64Array
    multiplier: Int64Array
    rounding: Int64Array
    shift: int


def single_rounding(
    largest: Int64Array, multiplier: Int64Array, shift: Int64Array, zero_point: int
) -> SingleRounding | None:
    """The multiplications of a layer, or None where TFLM's stairs are on no line.

    Args:
        largest: the largest magnitude of each channel's accumulator, below 2^30.
        multiplier, shift: its factor m * 2^(s - 31), as `quantize_multiplier` splits it.
        zero_point: that of the output.
    """
    enlargement = 2 ** np.maximum(np.where(largest > 0, shift + 1, 0), 0)
    if (enlargement > LARGEST_ENLARGEMENT).any() or (enlargement * largest >= 2**30).any():
        return None
    factor = np.where(largest > 0, multiplier * 2.0 ** (shift - 31) / enlargement, 0)
    # so that the largest multiplier, factor * 2^(32 + shift), has 31 bits
    common = min(-1 - int(np.frexp(factor.max(initial=0.0))[1]), LARGEST_SHIFT)
    common = max(common, 0)  # where all factors are 0
    stairs = _stairs(largest, multiplier, shift, zero_point)
    fits = [
        _line(stairs[k], int(largest[k]), int(enlargement[k]), slope, common)
        for k, slope in enumerate(factor * 2.0 ** (32 + common))
    ]
    found = [fit for fit in fits if fit is not None]
    if len(found) < len(fits):
        return None
    bias, slopes, rounding = np.array(found, np.int64).reshape(-1, 3).T
    return SingleRounding(enlargement, bias, slopes, rounding, common)


def _stairs(
    largest: Int64Array, multiplier: Int64Array, shift: Int64Array, zero_point: int
) -> Int64Array:
    """int64[channels, 255]: the smallest x in -largest .. largest whose output is q, or above it.

    largest + 1 where there is none.
    """
    low = np.repeat(-largest[:, np.newaxis], len(STAIRS), axis=1)
    high = np.repeat(largest[:, np.newaxis] + 1, len(STAIRS), axis=1)
    while (low < high).any():
        x = (low + high) >> 1
        scaled = multiply_by_quantized_multiplier(
            x, multiplier[:, np.newaxis], shift[:, np.newaxis]
        )
        reached = scaled + zero_point >= STAIRS
        open_ = low < high
        high = np.where(open_ & reached, x, high)
        low = np.where(open_ & ~reached, x + 1, low)
    return low


def _line(
    stairs: Int64Array, largest: int, enlargement: int, slope: float, shift: int
) -> tuple[int, int, int] | None:
    """Bias, multiplier and rounding whose stairs are these; None if there are none.

    With constant = bias * multiplier + rounding * 2^32, the output reaches q where
    enlargement * x * multiplier + constant >= q * 2^(32 + shift): that bounds the constant twice
    for every q.
    """
    inside = (stairs > -largest) & (stairs <= largest)
    if not inside.any():
        return 0, 0, int(STAIRS[0] - 1 + (stairs <= largest).sum()) << shift
    x, height = stairs[inside], STAIRS[inside] << (32 + shift)
    multipliers = round(slope) + TRIED_SLOPES
    steps = enlargement * multipliers[:, np.newaxis]
    least = (height - x * steps).max(axis=1)
    most = (height - (x - 1) * steps).min(axis=1) - 1
    best = int((most - least).argmax())
    multiplier = int(multipliers[best])
    if most[best] < least[best] or not 0 < multiplier < 2**31:
        return None
    for far in TRIED_ROUNDINGS:
        roundings = (int(least[best]) >> 32) + np.arange(-far, far)
        bias = -((roundings * 2**32 - least[best]) // multiplier)  # rounded up
        fits = (bias * multiplier + roundings * 2**32 <= most[best]) & (np.abs(bias) < LARGEST_BIAS)
        if fits.any():
            nearest = int(np.where(fits, np.abs(bias), LARGEST_BIAS).argmin())
            return int(bias[nearest]), multiplier, int(roundings[nearest])
    return None
