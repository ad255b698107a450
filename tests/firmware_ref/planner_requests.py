"""Random requests to a memory planner, as a hypothesis strategy."""

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
