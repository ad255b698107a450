"""Packings of buffers that are smaller than TFLM's greedy one, and proof where none exists.

- First-fit is tried in several orders besides TFLM's: by size, lifetime, their product, time.
- The best order is improved by swapping pairs of buffers, a fixed number of times.
- Small graphs are then searched exhaustively (branch and bound): buffers are stacked in the order
  of their offsets, each on the highest that it meets; branches that cannot beat the best known
  packing are cut, by the bytes that still have to be stacked at each step.
- The search ends when the best packing is as low as the bytes alive at one step, which is optimal.

Everything is deterministic. The problem is that of dynamic storage allocation, NP-complete:
Garey and Johnson, Computers and Intractability, SR2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from firmware_ref.arena.buffers import Buffer, head_bytes, peak_live_bytes
from firmware_ref.arena.greedy_planner import first_fit, greedy_order

Cost = Callable[[list[int]], int]

SWAPS = 600
SWAP_WORK = 4_000_000
"""Pairs of buffers looked at in all swaps: large graphs get fewer."""
EXHAUSTIVE_BUFFERS = 40
EXHAUSTIVE_STATES = 30_000


@dataclass(frozen=True)
class Packing:
    """Offsets of the buffers, in bytes; `is_optimal` where no packing can be lower."""

    offsets: tuple[int, ...]
    head_bytes: int
    is_optimal: bool


def pack(buffers: Sequence[Buffer], cost: Cost | None = None, seed: int = 0) -> Packing:
    """The lowest packing found.

    Args:
        buffers: the requests; prescribed offsets are ignored.
        cost: height in bytes of a packing; None takes the end of the highest buffer. Another
            cost is for a planner that will move some of the buffers afterwards.
        seed: of the order in which pairs are swapped.
    """
    free = [Buffer(b.size_bytes, b.first_used, b.last_used) for b in buffers]
    floor = peak_live_bytes(free)

    def height(offsets: list[int]) -> int:
        return head_bytes(free, offsets) if cost is None else cost(offsets)

    best: list[int] = []
    best_height: int | None = None
    best_order: list[int] = []
    for order in _orders(free):
        offsets = first_fit(free, order)
        found = height(offsets)
        if best_height is None or found < best_height:
            best, best_height, best_order = offsets, found, order
    if best_height is None or best_height <= floor:
        return Packing(tuple(best), best_height or 0, is_optimal=True)
    random = Random(seed)
    for _ in range(min(SWAPS, SWAP_WORK // len(free) ** 2)):
        i, j = random.randrange(len(free)), random.randrange(len(free))
        order = list(best_order)
        order[i], order[j] = order[j], order[i]
        offsets = first_fit(free, order)
        found = height(offsets)
        if found <= best_height:
            best, best_height, best_order = offsets, found, order
        if best_height <= floor:
            return Packing(tuple(best), best_height, is_optimal=True)
    is_proven = False
    if len(free) <= EXHAUSTIVE_BUFFERS:
        search = _Search(free, head_bytes(free, best))
        search.run()
        is_proven = search.is_complete and best_height <= search.best_height
        if search.best is not None and height(search.best) < best_height:
            best, best_height = search.best, height(search.best)
            is_proven = search.is_complete and best_height <= search.best_height
    return Packing(tuple(best), best_height, is_proven or best_height <= floor)


def _orders(buffers: Sequence[Buffer]) -> Iterator[list[int]]:
    """Orders of placement worth trying, TFLM's first."""
    yield greedy_order(buffers)
    span = [b.last_used - b.first_used + 1 for b in buffers]
    size = [b.size_bytes for b in buffers]
    keys: tuple[Callable[[int], tuple[int, ...]], ...] = (
        lambda i: (-size[i], -span[i]),
        lambda i: (-size[i], buffers[i].first_used),
        lambda i: (-size[i] * span[i],),
        lambda i: (-span[i], -size[i]),
        lambda i: (buffers[i].first_used, -size[i]),
        lambda i: (-buffers[i].last_used, -size[i]),
    )
    for key in keys:
        yield sorted(range(len(buffers)), key=key)


class _Search:
    """Branch and bound over stackings in the order of offsets.

    `best` is a packing lower than `limit`, or None; `is_complete` when nothing was left untried.
    """

    def __init__(self, buffers: Sequence[Buffer], limit: int) -> None:
        self.buffers = buffers
        self.best: list[int] | None = None
        self.best_height = limit
        self.is_complete = True
        self._floor = peak_live_bytes(buffers)
        steps = sorted({b.first_used for b in buffers})
        # Buffers only ever begin at these steps, so one row of the skyline for each is enough.
        self._rows = [
            [row for row, step in enumerate(steps) if b.first_used <= step <= b.last_used]
            for b in buffers
        ]
        self._row_count = len(steps)
        self._seen: set[tuple[int, tuple[int, ...]]] = set()

    def run(self) -> None:
        """Search until done, proven, or out of states."""
        waiting = [0] * self._row_count
        for buffer, rows in zip(self.buffers, self._rows, strict=True):
            for row in rows:
                waiting[row] += buffer.size_bytes
        self._stack(0, [0] * self._row_count, waiting, [0] * len(self.buffers), 0)

    def _stack(
        self, placed: int, skyline: list[int], waiting: list[int], offsets: list[int], low: int
    ) -> None:
        if placed == (1 << len(self.buffers)) - 1:
            self.best, self.best_height = list(offsets), max(skyline, default=0)
            return
        key = (placed, tuple(skyline))
        if key in self._seen:
            return
        if len(self._seen) >= EXHAUSTIVE_STATES:
            self.is_complete = False
            return
        self._seen.add(key)
        children = []
        for index, buffer in enumerate(self.buffers):
            if not placed >> index & 1:
                offset = max(skyline[row] for row in self._rows[index])
                if offset >= low:
                    children.append((offset, -buffer.size_bytes, index))
        for offset, negative_size, index in sorted(children):
            if self.best_height <= self._floor:
                return
            rows, end = self._rows[index], offset - negative_size
            higher, fewer = list(skyline), list(waiting)
            for row in rows:
                higher[row] = end
                fewer[row] += negative_size
            reach = max(h + w for h, w in zip(higher, fewer, strict=True))
            if reach < self.best_height:
                offsets[index] = offset
                self._stack(placed | 1 << index, higher, fewer, offsets, offset)
