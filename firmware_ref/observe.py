"""Watching a run operator by operator: what each wrote, and how long it took.

interpreter.observe(dump := TensorDump())
interpreter.invoke()
dump.tensors[(0, 7)]  # subgraph 0, tensor 7, as it was right after it was written
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from firmware_ref.model import Array, Operator
from firmware_ref.node import View


@dataclass(frozen=True, eq=False)
class OperatorRun:
    """One operator that has just run. The views show the arena as it is now: copy what you keep."""

    subgraph_index: int
    operator: Operator
    inputs: tuple[View | None, ...]
    outputs: tuple[View, ...]
    elapsed_ns: int


Observer = Callable[[OperatorRun], None]


class TensorDump:
    """Keeps a copy of every tensor that an operator writes: `tensors[(subgraph, tensor)]`."""

    def __init__(self) -> None:
        self.tensors: dict[tuple[int, int], Array] = {}

    def __call__(self, run: OperatorRun) -> None:
        for view in run.outputs:
            self.tensors[(run.subgraph_index, view.tensor.index)] = view.array.copy()


@dataclass
class OperatorTime:
    """Calls and total time of one operator of the graph."""

    name: str
    calls: int = 0
    total_ns: int = 0


class Profile:
    """Sums the time of each operator over all runs: `times[(subgraph, operator)]`."""

    def __init__(self) -> None:
        self.times: dict[tuple[int, int], OperatorTime] = {}

    def __call__(self, run: OperatorRun) -> None:
        key = (run.subgraph_index, run.operator.index)
        entry = self.times.setdefault(key, OperatorTime(run.operator.name))
        entry.calls += 1
        entry.total_ns += run.elapsed_ns
