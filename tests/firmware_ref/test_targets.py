"""The chip table is consistent, and chips are found by name."""

from dataclasses import replace

import pytest

from firmware_ref.errors import TargetError
from firmware_ref.targets import KIB, MHZ, TARGETS, find_target


@pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)
def test_every_entry_makes_sense(target) -> None:
    assert target.name == target.name.lower()
    assert target.flash_bytes >= 256 * KIB
    assert 0 < target.largest_block_bytes <= target.sram_bytes
    assert 10 * MHZ <= target.clock_hz <= 1000 * MHZ
    assert target.source
    assert target.is_verified == ("general knowledge" not in target.source)


def test_known_figures() -> None:
    nano = find_target("nano33ble")
    assert (nano.chip, nano.core) == ("nRF52840", "Cortex-M4F")
    assert (nano.flash_bytes, nano.sram_bytes) == (1024 * KIB, 256 * KIB)
    assert nano.clock_hz == 64 * MHZ
    assert find_target("stm32f4disco").largest_block_bytes == 128 * KIB


def test_unknown_names_offer_the_nearest() -> None:
    with pytest.raises(TargetError, match="unknown target 'Nano33'. Did you mean nano33ble"):
        find_target("Nano33")
    with pytest.raises(TargetError, match=r"unknown target 'zzz'\. Known: nano33ble"):
        find_target("zzz")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sram_bytes", 0, "sram_bytes is 0, expected more than 0"),
        ("clock_hz", -1, "clock_hz is -1, expected more than 0"),
        ("largest_block_bytes", 300 * KIB, "is 307200, more than the 262144 of sram_bytes"),
    ],
)
def test_a_chip_that_makes_no_sense_is_refused(field: str, value: int, message: str) -> None:
    with pytest.raises(TargetError, match=f"target 'nano33ble': .*{message}"):
        replace(find_target("nano33ble"), **{field: value})
