"""The fit rule, worked by hand."""

from firmware_ref.fit import check_fit
from firmware_ref.targets import KIB, find_target


def test_budgets_by_hand() -> None:
    fit = check_fit(find_target("nano33ble"), arena_bytes=40_000, model_bytes=100_000)
    sram, block, flash = fit.budgets
    assert (sram.needed_bytes, sram.usable_bytes) == (40_000 + 16 * KIB, 209_715)
    assert sram.margin_bytes == 209_715 - 56_384
    assert (block.needed_bytes, block.usable_bytes) == (40_000, 262_144)
    assert (flash.needed_bytes, flash.usable_bytes) == (100_000 + 89 * KIB, 838_860)
    assert fit.fits


def test_the_arena_must_lie_in_one_piece() -> None:
    # 140 kB pass four fifths of 192 KiB less the reserve, but the largest block has 128 KiB.
    fit = check_fit(find_target("stm32f4disco"), arena_bytes=140_000, model_bytes=1000)
    assert [budget.fits for budget in fit.budgets] == [True, False, True]
    assert not fit.fits


def test_the_last_byte_counts() -> None:
    target = find_target("nano33ble")
    most = 209_715 - 16 * KIB
    assert check_fit(target, most, 0).fits
    assert not check_fit(target, most + 1, 0).fits
    assert check_fit(target, most + 1, 0, reserved_sram_bytes=0).fits


def test_cmsis_nn_takes_more_flash() -> None:
    target = find_target("nano33ble")
    plain, optimised = (check_fit(target, 0, 0, cmsis_nn=c).budgets[2] for c in (False, True))
    assert optimised.needed_bytes - plain.needed_bytes == (144 - 89) * KIB
