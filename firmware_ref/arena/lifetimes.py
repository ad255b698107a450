"""From which step to which step each tensor of a model must keep its contents.

Time is a counter t that starts at 0 for the whole model:

- the inputs of a subgraph are created at the t at which it starts;
- each operator advances t by one; its outputs are created then, unless they were before;
- an operator that calls a subgraph advances t once more and plays that subgraph through;
- then the operator's inputs and outputs are last used at t;
- the scratch memory of an operator lives from its start to its end, called subgraphs included;
- the outputs of a subgraph are last used at the t at which it ends.

So the memory of a graph's *input* is free for others after its last reader: TFLM overwrites it.
What is never touched keeps first = last = -1, and is still planned.

Source: tensorflow/lite/micro/micro_allocation_info.cc.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from firmware_ref.errors import ModelError
from firmware_ref.model import Model
from firmware_ref.options import CallOnceOptions

NEVER = -1
MAX_CALL_DEPTH = 100
MAX_STEPS = 10**6
"""A small file can nest calls without end, or double them at each level."""

TensorKey = tuple[int, int]
"""(subgraph index, tensor index)"""
OperatorKey = tuple[int, int]
"""(subgraph index, operator index)"""


@dataclass
class Lifetimes:
    """First and last step of every tensor and operator that is reached, and the last step."""

    tensors: dict[TensorKey, tuple[int, int]] = field(default_factory=dict)
    operators: dict[OperatorKey, tuple[int, int]] = field(default_factory=dict)
    step_count: int = 0

    def tensor(self, key: TensorKey) -> tuple[int, int]:
        """(first, last) of a tensor; (-1, -1) where nothing touches it."""
        return self.tensors.get(key, (NEVER, NEVER))

    def operator(self, key: OperatorKey) -> tuple[int, int]:
        """(first, last) of an operator; (-1, -1) where no call reaches it."""
        return self.operators.get(key, (NEVER, NEVER))


def find_lifetimes(model: Model) -> Lifetimes:
    """Play the model through once and note when each tensor is created and last used.

    Raises:
        ModelError: a subgraph calls itself, or calls are nested or repeated beyond all reason.
    """
    found = Lifetimes()
    found.step_count = _play(model, 0, 0, found, active=()) + 1
    return found


def _play(model: Model, index: int, now: int, found: Lifetimes, active: tuple[int, ...]) -> int:
    if index in active:
        raise ModelError(
            f"subgraph {index} calls itself (by way of {' -> '.join(map(str, active))}); "
            "such a model never ends."
        )
    if len(active) > MAX_CALL_DEPTH:
        raise ModelError(
            f"subgraphs call each other {len(active)} levels deep; expected at most "
            f"{MAX_CALL_DEPTH}. The file is damaged or hostile."
        )
    subgraph = model.subgraphs[index]

    def create(tensors: tuple[int, ...]) -> None:
        for tensor in tensors:
            found.tensors.setdefault((index, tensor), (now, now))

    def use(tensors: tuple[int, ...]) -> None:
        for tensor in tensors:
            if tensor >= 0:
                first, _ = found.tensor((index, tensor))
                found.tensors[index, tensor] = (first, now)

    create(subgraph.inputs)
    for op in subgraph.operators:
        now += 1
        if now > MAX_STEPS:
            raise ModelError(
                f"the model's calls add up to more than {MAX_STEPS} steps. "
                "The file is damaged or hostile."
            )
        start = now
        create(op.outputs)
        if isinstance(op.options, CallOnceOptions):
            called = op.options.init_subgraph_index
            if not 0 <= called < len(model.subgraphs):
                raise ModelError(
                    f"operator {op.index} (CALL_ONCE) of subgraph {index} calls subgraph "
                    f"{called}; the model has {len(model.subgraphs)}."
                )
            now = _play(model, called, now + 1, found, (*active, index))
        use(op.inputs)
        use(op.outputs)
        found.operators[index, op.index] = (start, now)
    create(subgraph.outputs)
    use(subgraph.outputs)
    return now
