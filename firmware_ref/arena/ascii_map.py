"""The arena over time as text: a row per step, a letter per buffer, as TFLM's own planner prints.

Source of the form: GreedyMemoryPlanner::PrintMemoryPlan.
"""

from __future__ import annotations

from collections.abc import Iterator
from string import ascii_letters, digits

from firmware_ref.arena.plan import ArenaPlan

LETTERS = digits + ascii_letters
MANY = "*"
"""Stands for every buffer after the 62nd."""
FREE = "."
OVERLAP = "!"


def _letter(index: int) -> str:
    return LETTERS[index] if index < len(LETTERS) else MANY


def _row(plan: ArenaPlan, step: int, width: int) -> tuple[str, int]:
    """The head at one step, and the bytes that are alive in it."""
    cells, live_bytes = [FREE] * width, 0
    for index, (planned, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        buffer = planned.buffer
        if not buffer.first_used <= step <= buffer.last_used:
            continue
        live_bytes += buffer.size_bytes
        start = offset * width // plan.head_bytes
        end = max(start + 1, (offset + buffer.size_bytes) * width // plan.head_bytes)
        for cell in range(start, end):
            cells[cell] = _letter(index) if cells[cell] == FREE else OVERLAP
    return "".join(cells), live_bytes


def _is_crowded(plan: ArenaPlan, width: int) -> bool:
    """Whether some buffer is narrower than a cell, so that neighbours may share one."""
    return any(p.buffer.size_bytes * width < plan.head_bytes for p in plan.buffers)


def draw_arena(plan: ArenaPlan, width: int = 64) -> str:
    """The planned part of the arena over time.

    Args:
        plan: what to draw.
        width: columns that the head takes.

    Returns:
        Lines of text: the map, then a legend.
    """
    return "\n".join(_lines(plan, width))


def _lines(plan: ArenaPlan, width: int) -> Iterator[str]:
    if not plan.buffers:
        yield "The head is empty: the model has no activations."
        return
    number = len(str(len(plan.steps) - 1))
    yield f"{'':{number}}  0{plan.head_bytes:>{width - 1}} B"
    for step, name in enumerate(plan.steps):
        row, live_bytes = _row(plan, step, width)
        yield f"{step:{number}}: {row} {live_bytes:>7} B  {name}".rstrip()
    if _is_crowded(plan, width):
        yield f"{OVERLAP}: buffers narrower than a column ({plan.head_bytes // width} B) share it"
    yield ""
    for index, (planned, offset) in enumerate(zip(plan.buffers, plan.offsets, strict=True)):
        buffer = planned.buffer
        what = "scratch of " if planned.tensor_index is None else ""
        lives = (
            f"steps {buffer.first_used}-{buffer.last_used}" if buffer.last_used >= 0 else "unused"
        )
        yield (
            f"{_letter(index)}  at {offset:>7}  {planned.content_bytes:>7} B  "
            f"{lives}  {what}{planned.name}"
        )
