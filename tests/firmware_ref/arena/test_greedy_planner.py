"""The greedy planner against plans worked out by hand, and its invariants on random requests."""

from hypothesis import given
from hypothesis import strategies as st
from planner_requests import buffers, find_overlap

from firmware_ref.arena.buffers import Buffer, head_bytes, peak_live_bytes
from firmware_ref.arena.greedy_planner import greedy_order, greedy_plan


def test_one_after_the_other_all_lie_at_zero() -> None:
    assert greedy_plan([Buffer(16, 0, 1), Buffer(32, 2, 3), Buffer(48, 4, 5)]) == [0, 0, 0]


def test_all_at_once_stack_by_descending_size() -> None:
    requests = [Buffer(size, 0, 1) for size in (10, 20, 30, 40, 50)]
    assert greedy_plan(requests) == [140, 120, 90, 50, 0]


def test_equal_sizes_place_the_later_request_lower() -> None:
    assert greedy_plan([Buffer(16, 0, 1), Buffer(16, 0, 1), Buffer(16, 0, 1)]) == [32, 16, 0]


def test_a_chain_reuses_what_died() -> None:
    # 50 at 0 (steps 0-1); 40 (3-4) meets nobody placed: 0; 30 (2-3) above the 40: 40;
    # 20 (1-2) meets 50 and 30, the gap below the 30 is the 50's: above the 30, at 70;
    # 10 (0-1) meets 50 and 20: the gap between 50 and 70 holds it.
    chain = [
        Buffer(10, 0, 1),
        Buffer(20, 1, 2),
        Buffer(30, 2, 3),
        Buffer(40, 3, 4),
        Buffer(50, 0, 1),
    ]
    offsets = greedy_plan(chain)
    assert offsets == [50, 70, 40, 0, 0]
    assert head_bytes(chain, offsets) == 90


def test_a_gap_that_fits_exactly_is_taken() -> None:
    assert greedy_plan([Buffer(32, 0, 1), Buffer(16, 0, 1, fixed_offset=32)]) == [0, 32]
    assert greedy_plan([Buffer(48, 0, 1), Buffer(16, 0, 1, fixed_offset=32)]) == [48, 32]


def test_prescribed_offsets_are_kept_and_planned_around() -> None:
    requests = [Buffer(32, 0, 1), Buffer(16, 0, 1, fixed_offset=16), Buffer(16, 0, 1)]
    assert greedy_order(requests) == [1, 0, 2]
    assert greedy_plan(requests) == [32, 16, 0]


def test_no_requests_need_no_head() -> None:
    assert greedy_plan([]) == []
    assert head_bytes([], []) == 0
    assert peak_live_bytes([]) == 0


def test_peak_of_live_bytes_by_hand() -> None:
    assert peak_live_bytes([Buffer(16, 0, 1), Buffer(32, 1, 2), Buffer(64, 2, 3)]) == 96


def test_an_overlap_is_found() -> None:
    requests = [Buffer(32, 0, 1), Buffer(16, 1, 2), Buffer(16, 2, 3)]
    assert find_overlap(requests, [0, 16, 0]) == (0, 1)
    assert find_overlap(requests, [0, 32, 0]) is None


@given(buffers())
def test_plans_are_sound(requests: list[Buffer]) -> None:
    offsets = greedy_plan(requests)
    assert find_overlap(requests, offsets) is None
    assert all(offset >= 0 and offset % 16 == 0 for offset in offsets)
    assert head_bytes(requests, offsets) >= peak_live_bytes(requests)
    assert greedy_plan(requests) == offsets


@given(buffers(), st.integers(0, 40))
def test_the_largest_lies_at_zero_and_time_shifts_change_nothing(
    requests: list[Buffer], delay: int
) -> None:
    offsets = greedy_plan(requests)
    later = [Buffer(b.size_bytes, b.first_used + delay, b.last_used + delay) for b in requests]
    assert greedy_plan(later) == offsets
    if requests:
        assert offsets[greedy_order(requests)[0]] == 0
