"""Random requests to a memory planner, as a hypothesis strategy, and what no plan may do."""

from collections.abc import Sequence

from hypothesis import strategies as st

from firmware_ref.arena.buffers import Buffer

ALIGNED_SIZES = st.integers(1, 64).map(lambda units: 16 * units)


@st.composite
def buffers(draw: st.DrawFn, max_count: int = 24) -> list[Buffer]:
    made = []
    for _ in range(draw(st.integers(0, max_count))):
        first = draw(st.integers(0, 12))
        made.append(Buffer(draw(ALIGNED_SIZES), first, first + draw(st.integers(0, 6))))
    return made


def find_overlap(buffers: Sequence[Buffer], offsets: Sequence[int]) -> tuple[int, int] | None:
    """Indices of two buffers that share bytes at one step, or None where the plan is sound."""
    for i, first in enumerate(buffers):
        for j in range(i + 1, len(buffers)):
            second = buffers[j]
            if (
                first.lives_with(second)
                and offsets[i] < offsets[j] + second.size_bytes
                and offsets[j] < offsets[i] + first.size_bytes
            ):
                return i, j
    return None
