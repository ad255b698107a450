"""Functions of one int8 value: 256 results, worked out by firmware_ref's own kernel."""

from __future__ import annotations

from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.nodes import table_of
from firmware_ref.c_export.steps import Step


def emit_lookup(emitter: Emitter, step: Step) -> None:
    """tfkd_lookup with the operator's table."""
    table = emitter.constant(step, "table", "int8_t", table_of(emitter.graph, step.operator))
    size = emitter.graph.tensors[step.outputs[0]].elements
    emitter.call(
        "tfkd_lookup", emitter.place(step.outputs[0]), emitter.place(step.inputs[0]), size, table
    )
