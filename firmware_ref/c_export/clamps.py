"""Fused activations: the kernels saturate to int8, and a narrower range is a call of its own."""

from __future__ import annotations

from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.steps import Step
from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.node import Node
from firmware_ref.options import Activation

INT8_RANGE = (-128, 127)


def emit_clamp(emitter: Emitter, step: Step, node: Node, activation: Activation) -> None:
    """tfkd_clamp of the step's output; nothing where the activation's range is that of int8."""
    y = node.output()
    low, high = activation_range(node, activation, y)
    if (low, high) != INT8_RANGE:
        emitter.call("tfkd_clamp", emitter.place(step.outputs[0]), y.tensor.elements, low, high)
