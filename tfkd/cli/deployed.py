"""What a .tflite costs on a chip, for `tfkd info` and `tfkd convert`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from firmware_ref.fit import Budget
    from firmware_ref.targets import Target


def deployed(path: Path) -> dict[str, Any]:
    """Size, operators, states, latency and Cortex-M arena of a streaming model."""
    from firmware_ref.arena import plan_arena
    from firmware_ref.macs import model_macs
    from firmware_ref.reader import read_model
    from tfkd.engines.streaming_model import read_streaming_model

    streaming = read_streaming_model(path)
    model = read_model(streaming.content)
    plan = plan_arena(model, abi="cortex-m")
    return {
        "path": str(path),
        "name": streaming.name,
        "file_bytes": len(streaming.content),
        "operators": dict(Counter(op.name for op in model.subgraphs[0].operators).most_common()),
        "macs_per_frame": model_macs(model),
        "states": len(streaming.state_shapes),
        "state_bytes": sum(state.size for state in streaming.initial_states_q()),
        "hop_ms": streaming.frontend.hop_ms,
        "latency_ms": streaming.frontend.latency_ms,
        "arena": {"used_bytes": plan.total_bytes, "min_bytes": plan.min_bytes},
    }


def arena_layout(path: Path) -> dict[str, Any]:
    """Which buffer lies where from which step to which, on a Cortex-M."""
    from firmware_ref.arena import plan_arena

    plan = plan_arena(path, abi="cortex-m")
    return {
        "head_bytes": plan.head_bytes,
        "tail_bytes": plan.tail_bytes,
        "steps": list(plan.steps),
        "buffers": [
            {
                "name": planned.name,
                "offset_bytes": offset,
                "size_bytes": planned.buffer.size_bytes,
                "first_step": planned.buffer.first_used,
                "last_step": planned.buffer.last_used,
            }
            for planned, offset in zip(plan.buffers, plan.offsets, strict=True)
        ],
    }


def fit(report: dict[str, Any], chip: Target) -> dict[str, Any]:
    """Margins on a chip, and the time of one hop as estimated bands."""
    from firmware_ref.fit import check_fit

    result = check_fit(chip, report["arena"]["min_bytes"], report["file_bytes"])
    return {
        "name": chip.name,
        "fits": result.fits,
        "budgets": margins(result.budgets),
        "estimated_ms_per_hop": estimated_ms(report["macs_per_frame"], chip),
    }


def margins(budgets: Iterable[Budget]) -> dict[str, dict[str, int]]:
    """Memory -> what is needed of it, what is usable, what is left."""
    return {
        budget.name: {
            "needed_bytes": budget.needed_bytes,
            "usable_bytes": budget.usable_bytes,
            "margin_bytes": budget.margin_bytes,
        }
        for budget in budgets
    }


def estimated_ms(macs: int, chip: Target) -> dict[str, list[float] | None]:
    """Kernels -> the least and the most that so many MACs take; None where nobody counted."""
    from firmware_ref.cycles import INSTRUCTIONS_PER_MAC, estimate_cycles

    bands = {kernels: estimate_cycles(macs, chip, kernels) for kernels in INSTRUCTIONS_PER_MAC}
    return {
        _json_key(kernels): [band.low_ms, band.high_ms] if band else None
        for kernels, band in bands.items()
    }


def _json_key(kernels: str) -> str:
    return kernels.replace("-", "_")


def print_deployed(report: dict[str, Any]) -> None:
    """The same as text on stdout."""
    arena = report["arena"]
    operators = ", ".join(f"{name} {count}" for name, count in report["operators"].items())
    click.echo(f"{report['path']}: {report['file_bytes']:,} bytes")
    click.echo(
        f"  arena on Cortex-M: {arena['used_bytes']:,} bytes used, {arena['min_bytes']:,} needed"
    )
    click.echo(f"  state: {report['states']} tensors, {report['state_bytes']:,} bytes")
    click.echo(f"  {report['macs_per_frame']:,} MAC per hop of {report['hop_ms']:g} ms")
    click.echo(f"  operators: {operators}")
    if "target" not in report:
        return
    from firmware_ref.cycles import KERNEL_NAMES

    target = report["target"]
    print_margins(target)
    for kernels, label in KERNEL_NAMES.items():
        band = target["estimated_ms_per_hop"][_json_key(kernels)]
        if band:
            low_ms, high_ms = band
            click.echo(
                f"    estimate, not measured, with {label}: {low_ms:.1f} to {high_ms:.1f} ms per "
                f"hop of {report['hop_ms']:g} ms, {in_time(low_ms, high_ms, report['hop_ms'])}"
            )


def print_margins(target: dict[str, Any]) -> None:
    """Whether something fits a chip, and what it leaves of each memory, as text on stdout."""
    click.echo(f"  {target['name']}: {'fits' if target['fits'] else 'DOES NOT FIT'}")
    for name, budget in target["budgets"].items():
        click.echo(
            f"    {name}: {budget['needed_bytes']:,} of {budget['usable_bytes']:,} bytes, "
            f"margin {budget['margin_bytes']:,}"
        )


def in_time(low_ms: float, high_ms: float, hop_ms: float) -> str:
    """Whether a model that takes so long keeps up, in words."""
    if low_ms > hop_ms:
        return "TOO SLOW"
    return "in time" if high_ms <= hop_ms else "perhaps in time"
