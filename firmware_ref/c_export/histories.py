"""States that are histories: window = concat(state, current), new state = the window's tail.

Such a state needs no arena and no concatenation. Its window lies in `tfkd_state`, the operator
that computes the current frame writes it straight to the window's end, and after the step the
window moves up by one frame.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.c_export.contract import Contract
from firmware_ref.c_export.moves import contiguous_offset, leads_by_axis
from firmware_ref.c_export.steps import Step
from firmware_ref.model import Subgraph
from firmware_ref.options import ConcatenationOptions


@dataclass(frozen=True)
class History:
    """Tensors that lie in one window of `state_bytes + step_bytes` bytes."""

    state: int
    current: int
    window: int
    new_state: int
    state_bytes: int
    step_bytes: int


def find_histories(graph: Subgraph, steps: list[Step], contract: Contract) -> dict[int, History]:
    """State position -> its history, for those states that are one."""
    slices = {s.outputs[0]: s for s in steps if s.operator.name == "STRIDED_SLICE"}
    windows = {s.outputs[0]: s for s in steps if s.operator.name == "CONCATENATION"}
    found: dict[int, History] = {}
    for position, (state, new_state) in enumerate(
        zip(contract.states, contract.new_states, strict=True)
    ):
        tail = slices.get(new_state)
        if tail is None or contract.new_states.count(new_state) > 1:
            continue
        joined = windows.get(tail.inputs[0])
        if joined is None or len(joined.inputs) != 2 or joined.inputs[0] != state:
            continue
        options = joined.operator.options
        if not isinstance(options, ConcatenationOptions):
            continue
        window, current = joined.outputs[0], joined.inputs[1]
        step_bytes = graph.tensors[current].bytes
        if (
            current != state
            and leads_by_axis(graph.tensors[window], options.axis)
            and contiguous_offset(graph, tail.operator) == step_bytes
            and window not in {history.window for history in found.values()}
        ):
            state_bytes = graph.tensors[state].bytes
            found[position] = History(state, current, window, new_state, state_bytes, step_bytes)
    return found
