"""The cycle band, worked by hand from the measured instruction counts."""

import pytest

from firmware_ref.cycles import estimate_cycles
from firmware_ref.targets import find_target


def test_the_band_of_a_million_macs_on_an_m4() -> None:
    band = estimate_cycles(1_000_000, find_target("nano33ble"))
    assert band is not None
    assert (band.low, band.high) == (12_720_000, 44_320_000)  # 10.6 * 1.2 and 27.7 * 1.6
    assert band.low_ms == pytest.approx(198.75)
    assert band.high_ms == pytest.approx(692.5)


def test_cmsis_nn_is_several_times_faster() -> None:
    target = find_target("nano33ble")
    plain = estimate_cycles(1_000_000, target)
    optimised = estimate_cycles(1_000_000, target, "cmsis-nn")
    assert plain is not None
    assert optimised is not None
    assert (optimised.low, optimised.high) == (2_520_000, 8_160_000)
    assert optimised.high < plain.low


def test_the_measured_dtln_lies_in_the_band() -> None:
    # 747 000 instructions were counted for its 361 088 MACs: 0.90 to 1.20 million cycles.
    band = estimate_cycles(361_088, find_target("nano33ble"), "cmsis-nn")
    assert band is not None
    assert band.low <= 911_000 <= 1_195_000 <= band.high


def test_the_counted_steps_of_exported_c_lie_in_the_band() -> None:
    target = find_target("nano33ble")
    # tiny's step, and 2.63 per MAC of an untrained micro.
    for macs, instructions in ((145_344, 241_423), (32_400, 2.63 * 32_400)):
        band = estimate_cycles(macs, target, "exported-c")
        assert band is not None
        assert band.low <= 1.2 * instructions <= 1.6 * instructions <= band.high


def test_cores_without_a_count_get_no_estimate() -> None:
    assert estimate_cycles(1, find_target("pico")) is None
    assert estimate_cycles(1, find_target("esp32")) is None


def test_unknown_kernels_are_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="reference, cmsis-nn, exported-c, not True"):
        estimate_cycles(1, find_target("pico"), True)  # type: ignore[arg-type]
