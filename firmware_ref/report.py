"""What a model asks of a chip: operators, MACs, weights, arena, and whether it fits."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from firmware_ref.arena import ArenaPlan, plan_arena
from firmware_ref.cycles import CycleBand, estimate_cycles
from firmware_ref.errors import TargetError
from firmware_ref.fit import RESERVED_SRAM_BYTES, Fit, check_fit
from firmware_ref.interpreter import Interpreter
from firmware_ref.macs import operator_macs
from firmware_ref.model import Model
from firmware_ref.targets import Target

SCHEMA = "firmware_ref.report/1"
CYCLES_NOTE = "estimate, not measured on silicon"


@dataclass(frozen=True)
class OperatorRow:
    """One operator: what it computes and what it keeps in flash."""

    subgraph: int
    index: int
    name: str
    output_shape: tuple[int, ...]
    macs: int
    weights_bytes: int


@dataclass(frozen=True, eq=False)
class Report:
    """Everything that is printed about a model.

    Args:
        path: of the model.
        model_bytes: size of the file.
        weights_bytes: constants in it, each counted once.
        macs: multiply-accumulates of one inference.
        operators: of all subgraphs, in order.
        plan: the arena.
        cmsis_nn: whether the kernels are CMSIS-NN's.
        fit: the chip's limits; None without a chip.
        cycles: the band of one inference; None without a chip, or for a core without a count.
    """

    path: str
    model_bytes: int
    weights_bytes: int
    macs: int
    operators: tuple[OperatorRow, ...]
    plan: ArenaPlan
    cmsis_nn: bool
    fit: Fit | None
    cycles: CycleBand | None

    @property
    def fits(self) -> bool:
        """Whether every limit is kept; true without a chip."""
        return self.fit is None or self.fit.fits


def _rows(model: Model) -> tuple[OperatorRow, ...]:
    rows = []
    for subgraph in model.subgraphs:
        for op in subgraph.operators:
            constants = {
                subgraph.tensors[i].buffer_index: subgraph.tensors[i].bytes
                for i in op.inputs
                if i >= 0 and subgraph.tensors[i].is_constant
            }
            rows.append(
                OperatorRow(
                    subgraph=subgraph.index,
                    index=op.index,
                    name=op.name,
                    output_shape=subgraph.tensors[op.outputs[0]].shape if op.outputs else (),
                    macs=operator_macs(op, subgraph),
                    weights_bytes=sum(constants.values()),
                )
            )
    return tuple(rows)


def _weights_bytes(model: Model) -> int:
    return sum(
        {
            tensor.buffer_index: tensor.bytes
            for subgraph in model.subgraphs
            for tensor in subgraph.tensors
            if tensor.is_constant
        }.values()
    )


def make_report(
    path: str | os.PathLike[str],
    target: Target | None = None,
    *,
    abi: str = "cortex-m",
    cmsis_nn: bool = False,
    reserved_sram_bytes: int = RESERVED_SRAM_BYTES,
) -> Report:
    """Read a model and hold it against a chip.

    Args:
        path: of the .tflite file.
        target: the chip; None reports the model alone.
        abi: whose arena: "cortex-m" or "x86_64-wheel".
        cmsis_nn: optimised instead of reference kernels.
        reserved_sram_bytes: SRAM for stack and audio buffers.

    Raises:
        ModelError: the file is damaged.
        UnsupportedOpError: an operator or type that firmware_ref does not compute.
        TargetError: a chip together with the desktop's ABI, CMSIS-NN on a chip that is no Arm, or
            the ABI is unknown.
    """
    if target is not None and abi != "cortex-m":
        raise TargetError(
            f"the arena of a chip such as {target.name} is that of the ABI 'cortex-m', not {abi!r}."
        )
    if target is not None and cmsis_nn and not target.is_arm:
        raise TargetError(
            f"CMSIS-NN kernels exist for Arm cores only, and {target.name} has a {target.core}. "
            "Ask without CMSIS-NN: its numbers are those of the reference kernels."
        )
    interpreter = Interpreter(model_path=path, abi=abi)
    interpreter.allocate_tensors()  # refuses types that no kernel takes
    model = interpreter.model
    mve = target is not None and target.simd == "MVE"
    plan = plan_arena(model, abi, cmsis_nn=cmsis_nn, mve=mve)
    rows = _rows(model)
    macs = sum(row.macs for row in rows if row.subgraph == 0)
    fit = cycles = None
    if target is not None:
        fit = check_fit(
            target,
            plan.min_bytes,
            model.content_bytes,
            cmsis_nn=cmsis_nn,
            reserved_sram_bytes=reserved_sram_bytes,
        )
        cycles = estimate_cycles(macs, target, "cmsis-nn" if cmsis_nn else "reference")
    return Report(
        path=str(path),
        model_bytes=model.content_bytes,
        weights_bytes=_weights_bytes(model),
        macs=macs,
        operators=rows,
        plan=plan,
        cmsis_nn=cmsis_nn,
        fit=fit,
        cycles=cycles,
    )


def report_as_json(report: Report) -> Mapping[str, Any]:
    """The report as plain values, one object, with the version of its form in `schema`."""
    plan = report.plan
    return {
        "schema": SCHEMA,
        "model": {
            "path": report.path,
            "bytes": report.model_bytes,
            "weights_bytes": report.weights_bytes,
            "macs": report.macs,
            "operators": [asdict(row) for row in report.operators],
        },
        "arena": {
            "abi": plan.abi,
            "head_bytes": plan.head_bytes,
            "tail_bytes": plan.tail_bytes,
            "used_bytes": plan.total_bytes,
            "min_bytes": plan.min_bytes,
            "tail_categories": {name: usage.used_bytes for name, usage in plan.categories.items()},
        },
        "target": None if report.fit is None else _target_as_json(report, report.fit),
    }


def _target_as_json(report: Report, fit: Fit) -> Mapping[str, Any]:
    cycles = None if report.cycles is None else {**asdict(report.cycles), "note": CYCLES_NOTE}
    return {
        **asdict(fit.target),
        "budgets": [
            {**asdict(budget), "margin_bytes": budget.margin_bytes, "fits": budget.fits}
            for budget in fit.budgets
        ],
        "fits": fit.fits,
        "cycles": cycles,
    }
