"""ADD of two tensors of one shape."""

from __future__ import annotations

from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.nodes import checked_node
from firmware_ref.c_export.steps import Step
from firmware_ref.fixed_point import quantize_multiplier
from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.options import AddOptions

LEFT_SHIFT = 20


def emit_add(emitter: Emitter, step: Step) -> None:
    """tfkd_add, with the factors of TFLM's add_common.cc: double precision from float32 scales."""
    node = checked_node(emitter.graph, step.operator)
    first, second, y = node.input(0), node.input(1), node.output()
    if not first.shape == second.shape == y.shape:
        raise node.error(f"broadcasts {first.shape} and {second.shape}, which the C export lacks")
    twice_largest = 2 * max(float(first.scale), float(second.scale))
    low, high = activation_range(node, node.options(AddOptions).fused_activation_function, y)
    parameters = {
        "zero_point_1": str(first.zero_point),
        "zero_point_2": str(second.zero_point),
        "out_zero_point": str(y.zero_point),
        "factor_1": _factor(float(first.scale) / twice_largest),
        "factor_2": _factor(float(second.scale) / twice_largest),
        "out_factor": _factor(twice_largest / ((1 << LEFT_SHIFT) * float(y.scale))),
        "low": str(low),
        "high": str(high),
    }
    emitter.call(
        "tfkd_add",
        emitter.place(step.outputs[0]),
        emitter.place(step.inputs[0]),
        emitter.place(step.inputs[1]),
        y.tensor.elements,
        emitter.parameter(step, "tfkd_sum", parameters),
    )


def _factor(real: float) -> str:
    multiplier, shift = quantize_multiplier(real)
    return f"{{{multiplier}, {shift}}}"
