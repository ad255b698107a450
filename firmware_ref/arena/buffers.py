"""A buffer that the arena's head must hold: its size and the steps between which it lives."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ARENA_ALIGNMENT_BYTES = 16
"""TFLM's MicroArenaBufferAlignment(); every planned size and offset is a multiple of it."""


def align_up(size_bytes: int, alignment_bytes: int = ARENA_ALIGNMENT_BYTES) -> int:
    """The smallest multiple of `alignment_bytes` that is at least `size_bytes`."""
    return -(-size_bytes // alignment_bytes) * alignment_bytes


@dataclass(frozen=True)
class Buffer:
    """One request to a memory planner.

    Args:
        size_bytes: bytes, already rounded up to the arena's alignment.
        first_used: first step at which the contents matter.
        last_used: last such step, inclusive.
        fixed_offset: offset that an offline plan prescribes; None where the planner may choose.
    """

    size_bytes: int
    first_used: int
    last_used: int
    fixed_offset: int | None = None

    def lives_with(self, other: Buffer) -> bool:
        """Whether both must keep their contents at some common step (intervals are inclusive)."""
        return self.first_used <= other.last_used and other.first_used <= self.last_used


def head_bytes(buffers: Sequence[Buffer], offsets: Sequence[int]) -> int:
    """Bytes from offset 0 to the end of the highest buffer; 0 without buffers."""
    return max(
        (offset + buffer.size_bytes for buffer, offset in zip(buffers, offsets, strict=True)),
        default=0,
    )


def peak_live_bytes(buffers: Iterable[Buffer]) -> int:
    """Largest sum of the sizes alive at one step: no plan can need less."""
    changes: dict[int, int] = {}
    for buffer in buffers:
        changes[buffer.first_used] = changes.get(buffer.first_used, 0) + buffer.size_bytes
        after = buffer.last_used + 1
        changes[after] = changes.get(after, 0) - buffer.size_bytes
    peak = live = 0
    for step in sorted(changes):
        live += changes[step]
        peak = max(peak, live)
    return peak
