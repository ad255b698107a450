"""Filters whose output scale is folded into float64 weights, so that BLAS yields TFLM's very bits.

TFLM requantises an int32 accumulator a with a multiplier m and a shift s (v = a m 2^(s-31)):

    y = clamp(z_y + rounding_divide(high_mul(a 2^max(s,0), m), max(-s, 0)), low, high)

Nested floors collapse. With r = max(-s, 0) and d = 2^-(r+1) when r > 0, else d = 0:

    a >= 0:  y - z_y = floor(v + 1/2 + d)        a < 0:  y - z_y = floor(v + 1/2 - d)

(for r = 0 and a < 0: floor(v + 1/2), which is the same formula). v is a multiple of the grid
g = 2^(s-31), so three rounded operations of float64 suffice, and all of them are exact:

- the product. Every term x w m 2^(s-31) and every partial sum, in whatever order BLAS takes them,
  is a multiple of g/2 below 2^53 g/2 when  2 m sum|x||w| + |offset| / (g/2) < 2^53.  That bound is
  checked per channel with the largest |x| of the type; a filter that breaks it is not folded.
- the rounding. Where low >= z_y (a fused RELU), negative v give `low` anyway, so
  y - low = floor(v + 1/2 + d + z_y - low). Otherwise y - z_y = trunc(v' + copysign(1/2 + d, v'))
  with v' = v + g/2: v' is never 0, and the half step makes the comparison at the negative
  thresholds strict, as the floor has it. The cast to an integer truncates.
- the clamp is a gather from the table low, ..., high whose index is clipped. Adding copysign() has
  to be exact within the clamp only, |v'| + 1 < reach = max(high - z_y, z_y - low) + 2, which is the
  condition  reach / (g/2) < 2^53;  beyond it, rounding is monotone and the clip hides it.

For 16x8 filters with int64 accumulators, TFLM rounds once: y = floor(a m' 2^(s-15) + 1/2) with the
multiplier m' of 16 bits, so the same product serves without any sign.

Sources: MultiplyByQuantizedMultiplier in tensorflow/lite/kernels/internal/common.cc;
PopulateConvolutionQuantizationParams in tensorflow/lite/kernels/kernel_util.cc.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    Requantizer,
    quantize_multiplier,
    quantize_multiplier_to_16_bits,
    wrap_int32,
)
from firmware_ref.model import Array

Float64Array = NDArray[np.float64]
Int64Array = NDArray[np.int64]

EXACT = 2.0**53
"""Integers up to here are exact in float64."""


@dataclass(frozen=True, eq=False)
class OutputRange:
    """Where the requantised values go: zero point, clamp, and whether accumulators are int64."""

    zero_point: int
    low: int
    high: int
    wide: bool = False


class ScaledFilter:
    """Weights and offset in float64, and the rounding that turns their product into the output.

    `x @ weights + offset`, rounded by `rounding`, is what TFLM would write. When the bounds hold,
    `weights` carry the output scale; else they are the plain integers, and the rounding scales in
    int64.

    Args:
        weights: int64, last axis = output channels; input zero points are not in it.
        offset: int64 per output channel, what is added to the products: bias and, where every
            product counts, the folded zero point -z_x sum(w).
        factor: float64 per output channel: s_x s_w / s_y.
        largest_input: largest |x| that the products may see.
        output: zero point and clamp.
    """

    def __init__(
        self,
        weights: Int64Array,
        offset: Int64Array,
        factor: Float64Array,
        largest_input: int,
        output: OutputRange,
    ) -> None:
        self._output = output
        self._factor = factor
        if output.wide:
            multiplier, shift = quantize_multiplier_to_16_bits(factor)
            grid = np.ldexp(1.0, shift - 15)
            left_scale = multiplier * grid
            halving = np.zeros(factor.shape)
        else:
            multiplier, shift = quantize_multiplier(factor)
            grid = np.ldexp(1.0, shift - 31)
            left_scale = np.ldexp(1.0, np.maximum(shift, 0))
            halving = np.where(shift < 0, np.ldexp(0.5, shift), 0.0)
        step = multiplier * grid  # exact: at most 31 bits times a power of two
        self._is_signed = not output.wide and output.low < output.zero_point
        self._half: Float64Array = 0.5 + halving
        if self._is_signed:
            folded_offset = offset * step + grid / 2
        else:
            folded_offset = offset * step + (self._half + (output.zero_point - output.low))
        reach = max(output.high - output.zero_point, output.zero_point - output.low) + 2
        magnitude = np.abs(offset, dtype=np.float64)
        axes = tuple(range(weights.ndim - 1))
        sums = largest_input * np.abs(weights).sum(axis=axes, dtype=np.float64)
        self.is_folded = bool(
            np.all(2 * sums * multiplier + 2 * np.abs(folded_offset) / grid < EXACT)
            and np.all(magnitude * multiplier < EXACT)
            and np.all(2 * reach / grid < EXACT)
            # Beyond int32, TFLM's accumulator, its left shift or its result would wrap around.
            and np.all((sums + magnitude) * left_scale < 2.0**31)
        )
        self.weights: Float64Array = weights * (step if self.is_folded else 1.0)
        self.offset: Float64Array = folded_offset if self.is_folded else offset.astype(np.float64)

    def rounding(self, product: Float64Array, out: Array) -> Callable[[], None]:
        """What rounds and clamps `product` (offset included, last axis = channels) into `out`.

        Both arrays have the same shape and stay the same from call to call; `product` is
        overwritten.
        """
        if not self.is_folded:
            return self._rounding_in_int64(product, out)
        output = self._output
        table = np.arange(output.low, output.high + 1).astype(out.dtype)
        index = np.empty(out.shape, np.intp)
        # `index[...] = ` casts several times faster than np.copyto on small arrays.
        if not self._is_signed:

            def round_unsigned() -> None:
                index[...] = product
                table.take(index, None, out, "clip")

            return round_unsigned
        half = np.broadcast_to(self._half, out.shape).copy()
        start = np.full(out.shape, output.zero_point - output.low, np.intp)
        work = np.empty(out.shape)

        def round_signed() -> None:
            np.copysign(half, product, work)
            np.add(product, work, work)
            index[...] = work
            np.add(index, start, index)
            table.take(index, None, out, "clip")

        return round_signed

    def _rounding_in_int64(self, product: Float64Array, out: Array) -> Callable[[], None]:
        output = self._output
        requantize = Requantizer.from_factor(
            self._factor,
            zero_point=output.zero_point,
            low=output.low,
            high=output.high,
            wide=output.wide,
        )

        def round_in_int64() -> None:
            # TFLM's int32 wraps around; the float64 sum is exact below 2^53 all the same.
            acc = product.astype(np.int64)
            out[...] = requantize(acc if output.wide else wrap_int32(acc), out.dtype)

        return round_in_int64
