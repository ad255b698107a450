"""TFLM's GreedyMemoryPlanner, replayed exactly.

- Buffers with a prescribed offset are placed first, in the order in which they were added.
- The others follow by descending size; among equal sizes the one that was added last goes first.
- The first buffer of all, if not prescribed, goes to offset 0.
- For each next buffer only the placed ones that live at a common step matter; they are walked in
  the order of their offsets.
- The candidate offset is the highest end of those walked so far (0 before the first).
- The walk stops at the first gap that is large enough, or behind the last such buffer.
- Among equal offsets, the buffer that was placed later is walked later.
- Placed buffers never move again.
- The result is a packing, not an optimal one: the problem is NP-complete.

Source: tensorflow/lite/micro/memory_planner/greedy_memory_planner.cc.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable, Sequence

from firmware_ref.arena.buffers import Buffer


def greedy_order(buffers: Sequence[Buffer]) -> list[int]:
    """Indices in the order in which TFLM's planner places the buffers."""
    fixed = [i for i, buffer in enumerate(buffers) if buffer.fixed_offset is not None]
    free = [i for i, buffer in enumerate(buffers) if buffer.fixed_offset is None]
    return fixed + sorted(reversed(free), key=lambda i: -buffers[i].size_bytes)


def first_fit(buffers: Sequence[Buffer], order: Iterable[int]) -> list[int]:
    """Place `buffers` one after the other, each into the lowest gap that holds it.

    Args:
        buffers: the requests.
        order: indices into `buffers`, each once: the order of placement.

    Returns:
        The offset of each buffer, in bytes, in the order of `buffers`.
    """
    offsets = [0] * len(buffers)
    placed: list[tuple[int, int, int]] = []  # (offset, rank, index), sorted
    for rank, index in enumerate(order):
        wanted = buffers[index]
        offset = wanted.fixed_offset
        if offset is None:
            offset = 0
            for placed_offset, _, other in placed:
                if not wanted.lives_with(buffers[other]):
                    continue
                if placed_offset - offset >= wanted.size_bytes:
                    break
                offset = max(offset, placed_offset + buffers[other].size_bytes)
        offsets[index] = offset
        insort(placed, (offset, rank, index))
    return offsets


def greedy_plan(buffers: Sequence[Buffer]) -> list[int]:
    """Offsets, in bytes, exactly as TFLM's GreedyMemoryPlanner chooses them.

    >>> greedy_plan([Buffer(10, 0, 1), Buffer(20, 2, 3), Buffer(30, 4, 5)])
    [0, 0, 0]
    """
    return first_fit(buffers, greedy_order(buffers))
