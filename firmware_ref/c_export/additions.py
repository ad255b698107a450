"""ADD of two tensors of one shape."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.c_export.clamps import emit_clamp
from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.factors import kernel_rounding, kernel_shift
from firmware_ref.c_export.nodes import checked_node
from firmware_ref.c_export.steps import Step
from firmware_ref.fixed_point import multiply_by_quantized_multiplier, quantize_multiplier
from firmware_ref.options import AddOptions

LEFT_SHIFT = 20
LARGEST_SHIFT = 22
"""tfkd_addition keeps twice the output's zero point, shifted by it, as int32."""


def emit_add(emitter: Emitter, step: Step) -> None:
    """tfkd_add, with the factors of TFLM's add_common.cc: double precision from float32 scales.

    The input of the larger scale comes first. TFLM's factor for it is 1/2 without rounding:
    shifting it left by 19 instead of 20 is the same.
    """
    node = checked_node(emitter.graph, step.operator)
    a, b, y = node.input(0), node.input(1), node.output()
    if not a.shape == b.shape == y.shape:
        raise node.error(f"broadcasts {a.shape} and {b.shape}, which the C export lacks")
    sources = step.inputs
    if float(a.scale) < float(b.scale):
        a, b, sources = b, a, sources[::-1]
    twice_largest = 2 * float(a.scale)
    b_multiplier, b_shift = map(int, quantize_multiplier(float(b.scale) / twice_largest))
    multiplier, shift = map(
        int, quantize_multiplier(twice_largest / ((1 << LEFT_SHIFT) * float(y.scale)))
    )
    if shift >= 0:
        raise node.error(
            "adds into a scale 2^18 times smaller than its inputs', which the C export lacks"
        )
    if kernel_shift(shift) > LARGEST_SHIFT:
        raise node.error("adds into a scale over 16 times its inputs', which the C export lacks")
    table = _from_b(a.zero_point, b.zero_point, b_multiplier, b_shift)
    fields = {
        "from_b": emitter.constant(step, "from_b", "int32_t", table),
        "multiplier": str(multiplier),
        "rounding": str(int(kernel_rounding(y.zero_point, kernel_shift(shift)))),
        "shift": str(int(kernel_shift(shift))),
    }
    emitter.call(
        "tfkd_add",
        emitter.place(step.outputs[0]),
        *(emitter.place(index) for index in sources[:2]),
        y.tensor.elements,
        emitter.parameter(step, "tfkd_addition", fields),
    )
    emit_clamp(emitter, step, node, node.options(AddOptions).fused_activation_function)


def _from_b(a_zero_point: int, b_zero_point: int, multiplier: int, shift: int) -> NDArray[np.int64]:
    """int64[256]: twice the scaled b - b_zero_point, less a's share of its zero point."""
    shifted = (np.arange(-128, 128) - b_zero_point) << LEFT_SHIFT
    scaled = multiply_by_quantized_multiplier(shifted, multiplier, shift).astype(np.int64)
    return 2 * scaled - (a_zero_point << LEFT_SHIFT)
