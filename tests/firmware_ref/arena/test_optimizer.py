"""Packings against hand-worked and brute-force optima."""

from itertools import permutations

from hypothesis import given, settings
from planner_requests import buffers, find_overlap

from firmware_ref.arena.buffers import Buffer, head_bytes, peak_live_bytes
from firmware_ref.arena.greedy_planner import first_fit, greedy_plan
from firmware_ref.arena.optimizer import pack


def test_nothing_to_pack() -> None:
    packing = pack([])
    assert (packing.offsets, packing.head_bytes, packing.is_optimal) == ((), 0, True)


def test_a_packing_as_low_as_the_live_bytes_is_optimal() -> None:
    packing = pack([Buffer(size, 0, 1) for size in (16, 32, 48)])
    assert packing.head_bytes == 96
    assert packing.is_optimal


def test_what_greedy_wastes_is_won_back() -> None:
    # Greedy: 64 at 0; the 48 and, above it, the 32 (48 to 80) meet it at no step; the 16 meets
    # the 64 and the 32, no gap holds it: at 80, so 96. With the 32 at 0, the 48 on top of it and
    # the 16 on the 64, no step needs more than 80.
    requests = [Buffer(16, 2, 3), Buffer(32, 0, 2), Buffer(48, 1, 1), Buffer(64, 3, 5)]
    assert head_bytes(requests, greedy_plan(requests)) == 96
    packing = pack(requests)
    assert find_overlap(requests, packing.offsets) is None
    assert packing.head_bytes == peak_live_bytes(requests) == 80
    assert packing.is_optimal


@given(buffers(max_count=20))
@settings(max_examples=60, deadline=None)
def test_packings_are_sound_deterministic_and_never_above_greedy(requests: list[Buffer]) -> None:
    packing = pack(requests)
    assert find_overlap(requests, packing.offsets) is None
    assert packing.head_bytes == head_bytes(requests, packing.offsets)
    assert all(offset % 16 == 0 for offset in packing.offsets)
    greedy = head_bytes(requests, greedy_plan(requests))
    assert peak_live_bytes(requests) <= packing.head_bytes <= greedy
    assert pack(requests) == packing


@given(buffers(max_count=6))
@settings(max_examples=60, deadline=None)
def test_small_packings_are_as_low_as_any_order_of_placement(requests: list[Buffer]) -> None:
    orders = permutations(range(len(requests)))
    lowest = min(head_bytes(requests, first_fit(requests, order)) for order in orders)
    packing = pack(requests)
    assert packing.is_optimal
    assert packing.head_bytes == lowest
