"""ADD of two tensors of one shape.

    sum(a, b) = (a multiplier + from_b[b]) >> shift, saturated to int8

with numbers that give TFLM's sum, which rounds three times, for each of the 65536 pairs. Scales in
the ratio of small integers may leave none, for they put many sums between two results; then the
kernel rounds as TFLM does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from firmware_ref.c_export.clamps import emit_clamp
from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.factors import kernel_rounding, kernel_shift
from firmware_ref.c_export.nodes import operator_node
from firmware_ref.c_export.steps import Step
from firmware_ref.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from firmware_ref.node import Node, View
from firmware_ref.options import AddOptions

Int64Array = NDArray[np.int64]

LEFT_SHIFT = 20
LARGEST_SHIFT = 24
LARGEST_ROUNDING_SHIFT = 22
"""tfkd_addition keeps twice the output's zero point, shifted by it, as int32."""
TRIED_MULTIPLIERS = sorted(range(-3, 4), key=abs)
"""Beside the nearest one. One more rounds ties of exact sums away from zero, as TFLM does."""
BYTES = np.arange(-128, 128)
INT32_MAX = 2**31 - 1


@dataclass(frozen=True)
class Addition:
    """The numbers of the sum; `from_b`: int64[256]."""

    multiplier: int
    from_b: Int64Array
    shift: int


def emit_add(emitter: Emitter, step: Step) -> None:
    """tfkd_add, or tfkd_add_rounding_twice where it has no numbers."""
    node = operator_node(emitter.graph, step.operator)
    a, b, y = node.input(0), node.input(1), node.output()
    if not a.shape == b.shape == y.shape:
        raise node.error(f"broadcasts {a.shape} and {b.shape}, which the C export lacks")
    sources = step.inputs[:2]
    addition = fitted_addition(
        _sums(a, b, y), float(a.scale) / float(y.scale), float(b.scale) / float(y.scale)
    )
    if addition is not None:
        function = "tfkd_add"
        table = addition.from_b
        numbers = {"multiplier": addition.multiplier, "shift": addition.shift}
    else:
        function = "tfkd_add_rounding_twice"
        if float(a.scale) < float(b.scale):
            a, b, sources = b, a, sources[::-1]
        table, numbers = _rounding_twice(node, a, b, y)
    fields = {
        "from_b": emitter.constant(step, "from_b", "int32_t", table),
        **{name: str(number) for name, number in numbers.items()},
    }
    emitter.call(
        function,
        emitter.place(step.outputs[0]),
        *(emitter.place(index) for index in sources),
        y.tensor.elements,
        emitter.parameter(step, "tfkd_addition", fields),
    )
    emit_clamp(emitter, step, node, node.options(AddOptions).fused_activation_function)


def _rounding_twice(node: Node, a: View, b: View, y: View) -> tuple[Int64Array, dict[str, int]]:
    """What tfkd_add_rounding_twice takes, with the factors of TFLM's add_common.cc.

    The input of the larger scale comes first. TFLM's factor for it is 1/2 without rounding:
    shifting it left by 19 instead of 20 is the same.
    """
    twice_largest = 2 * float(a.scale)
    multiplier, shift = map(
        int, quantize_multiplier(twice_largest / ((1 << LEFT_SHIFT) * float(y.scale)))
    )
    if shift >= 0:
        raise node.error(
            "adds into a scale 2^18 times smaller than its inputs', which the C export lacks"
        )
    if kernel_shift(shift) > LARGEST_ROUNDING_SHIFT:
        raise node.error("adds into a scale over 16 times its inputs', which the C export lacks")
    shift = int(kernel_shift(shift))
    rounding = int(kernel_rounding(y.zero_point, shift))
    table = 2 * _scaled(b, twice_largest) - (a.zero_point << LEFT_SHIFT)
    return table, {"multiplier": multiplier, "rounding": rounding, "shift": shift}


def _scaled(view: View, twice_largest: float) -> Int64Array:
    """int64[256]: TFLM's scaled q - zero_point, in double precision from float32 scales."""
    shifted = (BYTES - view.zero_point) << LEFT_SHIFT
    factor = quantize_multiplier(float(view.scale) / twice_largest)
    return multiply_by_quantized_multiplier(shifted, *factor)


def _sums(a: View, b: View, y: View) -> Int64Array:
    """int64[256, 256]: TFLM's sum of every a (axis 0) and every b, saturated to int8."""
    twice_largest = 2 * max(float(a.scale), float(b.scale))
    total = _scaled(a, twice_largest)[:, np.newaxis] + _scaled(b, twice_largest)
    factor = quantize_multiplier(twice_largest / ((1 << LEFT_SHIFT) * float(y.scale)))
    return np.clip(multiply_by_quantized_multiplier(total, *factor) + y.zero_point, -128, 127)


def fitted_addition(sums: Int64Array, a_ratio: float, b_ratio: float) -> Addition | None:
    """Numbers that give `sums`, int64[256 of a, 256 of b]; None where none are found.

    Args:
        sums: the results.
        a_ratio, b_ratio: scales of the inputs over that of the output.
    """
    largest = 256 * (a_ratio + b_ratio) + 256  # of the sum before its saturation
    shift = min(int(np.log2(INT32_MAX / largest)), LARGEST_SHIFT)
    if shift < 0:
        return None
    for difference in TRIED_MULTIPLIERS:
        multiplier = round(a_ratio * 2.0**shift) + difference
        # result << shift <= a multiplier + from_b < (result + 1) << shift, but for saturation
        rest = (sums << shift) - (BYTES * multiplier)[:, np.newaxis]
        least = np.where(sums > -128, rest, -INT32_MAX).max(axis=0)
        most = np.where(sums < 127, rest + (1 << shift) - 1, INT32_MAX).min(axis=0)
        if (least <= most).all():
            from_b = np.where(
                least == -INT32_MAX, most, np.where(most == INT32_MAX, least, (least + most) >> 1)
            )
            if 128 * abs(multiplier) + np.abs(from_b).max() <= INT32_MAX:
                return Addition(multiplier, from_b, shift)
    return None
