"""TFLM's two-ended arena, replayed with addresses instead of memory.

- The head grows up from the 16-aligned start; temporaries lie on top of it.
- The tail grows down from the raw end: tail = align_down(tail - size, alignment).
- A temporary or the head fails when it would pass the tail.
- A persistent request fails when it would pass the head. TFLM does not look at temporaries there:
  a kernel that asks for persistent memory in a tight arena overwrites its own temporaries, and
  TFLM fails, or not, depending on what was there. So it must not pass the part that is read again.

Nothing fails here: the replay notes the largest `head + tail` that any request needed, which is
the smallest arena in which none of them would have failed. The tail's alignment losses depend on
where the arena ends, so a replay is for one remainder of the arena's size modulo 16.

Source: tensorflow/lite/micro/arena_allocator/single_arena_buffer_allocator.cc.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.arena.abi import Struct
from firmware_ref.arena.buffers import ARENA_ALIGNMENT_BYTES, align_up


@dataclass
class Usage:
    """Bytes of one category: as requested, with alignment, and in how many requests."""

    used_bytes: int = 0
    requested_bytes: int = 0
    count: int = 0


class ArenaReplay:
    """The state of the arena while a model is allocated.

    Args:
        end_remainder: the arena's size modulo 16.
    """

    def __init__(self, end_remainder: int = 0) -> None:
        self.end_remainder = end_remainder % ARENA_ALIGNMENT_BYTES
        self.head_bytes = 0
        self.tail_bytes = 0
        self.needed_bytes = 0
        self.usage: dict[str, Usage] = {}
        self._temporary_end = 0
        self._read_end = 0  # end of the temporaries' part that the kernel reads again

    def persistent(self, size_bytes: int, align_bytes: int, category: str) -> int:
        """Take memory in the tail and return its distance from the arena's end to its start."""
        before = self.tail_bytes
        self.tail_bytes = self._aligned_down(self.tail_bytes + size_bytes, align_bytes)
        self._need(max(self.head_bytes, self._read_end) + self.tail_bytes)
        usage = self.usage.setdefault(category, Usage())
        usage.used_bytes += self.tail_bytes - before
        usage.requested_bytes += size_bytes
        usage.count += 1
        return self.tail_bytes

    def persistent_array(self, struct: Struct, count: int, category: str) -> int:
        """`persistent` for `count` structs in a row."""
        return self.persistent(struct.size_bytes * count, struct.align_bytes, category)

    def temporary(self, size_bytes: int, align_bytes: int, read_bytes: int | None = None) -> None:
        """Take memory above the head until `free_temporaries`.

        Args:
            size_bytes: size.
            align_bytes: alignment of its start.
            read_bytes: how much of its beginning is read again once it is filled; None: all.
        """
        start = align_up(self._temporary_end, align_bytes)
        self._temporary_end = start + size_bytes
        if read_bytes is None:
            read_bytes = size_bytes
        if read_bytes:
            self._read_end = start + read_bytes
        self._need(self._temporary_end + self.tail_bytes)

    def rest_as_temporary(self, needed_bytes: int) -> None:
        """Take all that is left, aligned at both ends; it must hold `needed_bytes`."""
        start = align_up(self._temporary_end)
        end = self._aligned_down(self.tail_bytes, ARENA_ALIGNMENT_BYTES)
        self._need(start + needed_bytes + end)

    def free_temporaries(self) -> None:
        """Forget every temporary."""
        self._temporary_end = self._read_end = self.head_bytes

    def resize_head(self, size_bytes: int) -> None:
        """Set the head's size; temporaries must have been freed."""
        self.head_bytes = size_bytes
        self._temporary_end = self._read_end = size_bytes
        self._need(self.head_bytes + self.tail_bytes)

    def _aligned_down(self, distance: int, align_bytes: int) -> int:
        """Distance from the end of the next lower aligned address."""
        return distance + (self.end_remainder - distance) % align_bytes

    def _need(self, size_bytes: int) -> None:
        self.needed_bytes = max(self.needed_bytes, size_bytes)
