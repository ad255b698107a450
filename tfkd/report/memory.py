"""The arena over time, what its tail holds, and a chip's limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firmware_ref.arena.model_buffers import PlannedBuffer
from firmware_ref.cycles import KERNEL_NAMES, CycleBand, estimate_cycles
from firmware_ref.fit import Fit, check_fit
from firmware_ref.model import Subgraph
from firmware_ref.reader import read_model
from firmware_ref.report import Report
from firmware_ref.report import make_report as firmware_report
from firmware_ref.targets import TARGETS, Target
from tfkd.report.axis import Axis, linear_axis

STATE, ACTIVATION, SCRATCH = "state", "activation", "scratch"


@dataclass(frozen=True)
class Box:
    """A buffer of the arena's head, in percent of the map."""

    left: float
    top: float
    width: float
    height: float
    role: str
    text: str


@dataclass(frozen=True)
class Share:
    """A part of the whole arena."""

    name: str
    size_bytes: int
    percent: float


@dataclass(frozen=True)
class ChipRow:
    """One chip, whether the model fits, and the time of a hop: name of the kernels -> band, where
    known.
    """

    fit: Fit
    cycles: Mapping[str, CycleBand]


@dataclass(frozen=True)
class Memory:
    """What a .tflite asks of a chip.

    Args:
        report: firmware_ref's, for the target if one was named, else for any Cortex-M.
        boxes: the arena's head over time.
        shares: head and tail, the tail by its categories.
        chips: every chip that firmware_ref knows.
        kernels: names of the kernels whose time is estimated.
        chosen: the target among the chips; None if none was named.
    """

    report: Report
    x: Axis
    y: Axis
    boxes: tuple[Box, ...]
    roles: tuple[str, ...]
    shares: tuple[Share, ...]
    chips: tuple[ChipRow, ...]
    kernels: tuple[str, ...]
    chosen: ChipRow | None


def read_memory(tflite: Path, target: Target | None) -> Memory:
    """Plan the arena of a model and hold it against the chips.

    Raises:
        ModelError, UnsupportedOpError: of firmware_ref, for a file that it cannot read.
    """
    report = firmware_report(tflite, target)
    plan = report.plan
    graph = read_model(tflite).subgraphs[0]
    x = linear_axis("operator, in order of execution", [], low=-0.5, high=len(plan.steps) - 0.5)
    y = linear_axis("bytes from the arena's start", [], low=0.0, high=float(plan.head_bytes))
    boxes = tuple(
        _box(planned, offset, x, y, graph, plan.steps)
        for planned, offset in zip(plan.buffers, plan.offsets, strict=True)
        if planned.buffer.last_used >= planned.buffer.first_used
    )
    return Memory(
        report,
        x,
        y,
        boxes,
        tuple(role for role in (STATE, ACTIVATION, SCRATCH) if role in {b.role for b in boxes}),
        tuple(
            Share(name, size, round(100.0 * size / plan.total_bytes, 2))
            for name, size in (
                ("planned head", plan.head_bytes),
                *((name, usage.used_bytes) for name, usage in plan.categories.items()),
            )
            if size
        ),
        tuple(_chip(chip, report) for chip in TARGETS.values()),
        tuple(KERNEL_NAMES.values()),
        _chip(target, report) if target else None,
    )


def _chip(target: Target, report: Report) -> ChipRow:
    bands = {
        name: estimate_cycles(report.macs, target, kernels)
        for kernels, name in KERNEL_NAMES.items()
    }
    return ChipRow(
        check_fit(target, report.plan.min_bytes, report.model_bytes),
        {kernels: band for kernels, band in bands.items() if band},
    )


def _box(
    planned: PlannedBuffer, offset: int, x: Axis, y: Axis, graph: Subgraph, steps: tuple[str, ...]
) -> Box:
    buffer = planned.buffer
    left = x.place(buffer.first_used - 0.5)
    top = 100 - y.place(offset + buffer.size_bytes)
    role = _role(planned, graph)
    what = {STATE: "state, frame or mask", ACTIVATION: "activation", SCRATCH: "scratch memory"}
    made_by = steps[buffer.first_used].strip("()")
    return Box(
        left,
        round(top, 3),
        round(x.place(buffer.last_used + 0.5) - left, 3),
        round(100 - y.place(offset) - top, 3),
        role,
        f"{what[role]}{f' {planned.name}' if planned.name else ''}: "
        f"{planned.content_bytes:,} B at {offset:,}, steps {buffer.first_used} to "
        f"{buffer.last_used}, first at {made_by}",
    )


def _role(planned: PlannedBuffer, graph: Subgraph) -> str:
    if planned.tensor_index is None:
        return SCRATCH
    kept = planned.subgraph_index == 0 and planned.tensor_index in (*graph.inputs, *graph.outputs)
    return STATE if kept else ACTIVATION
