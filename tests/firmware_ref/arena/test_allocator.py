"""The two-ended allocator, worked by hand."""

from firmware_ref.arena.allocator import ArenaReplay


def test_the_tail_is_aligned_downwards_from_the_end() -> None:
    arena = ArenaReplay()
    assert arena.persistent(5, 1, "a") == 5
    assert arena.persistent(4, 4, "a") == 12  # 9, down to a multiple of 4
    assert arena.persistent(1, 16, "b") == 16
    assert (arena.usage["a"].used_bytes, arena.usage["a"].requested_bytes) == (12, 9)
    assert (arena.usage["b"].used_bytes, arena.usage["b"].count) == (4, 1)


def test_an_arena_that_ends_off_the_grid_loses_other_bytes() -> None:
    # 4 bytes past a multiple of 16: the last aligned 16 bytes begin 20 before the end.
    assert ArenaReplay(end_remainder=4).persistent(16, 16, "a") == 20
    assert ArenaReplay(end_remainder=0).persistent(16, 16, "a") == 16


def test_needed_is_the_largest_sum_of_both_ends() -> None:
    arena = ArenaReplay()
    arena.resize_head(100)
    arena.persistent(40, 4, "a")
    assert arena.needed_bytes == 140
    arena.temporary(30, 8)  # 100 -> 104, to 134
    assert arena.needed_bytes == 174
    arena.free_temporaries()
    arena.resize_head(0)
    arena.persistent(8, 4, "a")
    assert arena.needed_bytes == 174


def test_the_rest_is_aligned_at_both_ends() -> None:
    arena = ArenaReplay()
    arena.resize_head(10)
    arena.persistent(20, 4, "a")
    arena.rest_as_temporary(40)  # from 16, and up to 32 before the end
    assert arena.needed_bytes == 16 + 40 + 32


def test_persistent_memory_spares_what_a_temporary_will_be_read_for() -> None:
    arena = ArenaReplay()
    arena.temporary(24, 8, read_bytes=16)
    arena.temporary(8, 4, read_bytes=0)
    arena.persistent(48, 16, "a")
    assert arena.needed_bytes == 16 + 48  # the other 16 bytes may be overwritten
