"""ADD of two tensors of one shape."""

from __future__ import annotations

from firmware_ref.c_export.clamps import emit_clamp
from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.factors import kernel_shift
from firmware_ref.c_export.nodes import checked_node
from firmware_ref.c_export.steps import Step
from firmware_ref.fixed_point import quantize_multiplier
from firmware_ref.options import AddOptions

LEFT_SHIFT = 20


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
    b_left = LEFT_SHIFT
    if b_shift == 0:  # 1/2 too: a quarter of twice the value, so that the kernel can round
        b_left, b_shift = LEFT_SHIFT + 1, -1
    fields = {
        "b_multiplier": b_multiplier,
        "multiplier": multiplier,
        "a_zero_point": a.zero_point,
        "b_zero_point": b.zero_point,
        "out_zero_point": y.zero_point,
        "b_left": b_left + 1,  # doubled for multiply_high
        "b_shift": int(kernel_shift(b_shift)),
        "shift": int(kernel_shift(shift)),
    }
    emitter.call(
        "tfkd_add",
        emitter.place(step.outputs[0]),
        *(emitter.place(index) for index in sources[:2]),
        y.tensor.elements,
        emitter.parameter(
            step, "tfkd_addition", {name: str(value) for name, value in fields.items()}
        ),
    )
    emit_clamp(emitter, step, node, node.options(AddOptions).fused_activation_function)
