"""What exported code costs on a Cortex-M4, with its front end and without."""

from dataclasses import replace

import pytest
from gate_model import gate_model

from firmware_ref.cortex_m import missing_tools
from firmware_ref.targets import find_target
from tfkd.c_denoiser import c_sources
from tfkd.c_denoiser.cost import CortexMCost, budgets, estimated_ms, measure_cost

needs_toolchain = pytest.mark.skipif(
    bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"
)
COST = CortexMCost(
    text_bytes=6000,
    rodata_bytes=90_000,
    data_bytes=0,
    bss_bytes=5000,
    stack_bytes=1400,
    instructions=480_000,
    low_ms=9.0,
    high_ms=12.0,
)


def test_margins_by_hand(gate):
    chip = replace(
        find_target("nano33ble"),
        sram_bytes=20_000,
        largest_block_bytes=20_000,
        flash_bytes=100_000,
    )
    sources = c_sources(gate)
    ram, flash = budgets(sources, COST, chip)
    # gate: 192 bytes of states and 6 a sample of the hop; 5,000 shared; 8 KiB of stack
    assert (ram.needed_bytes, ram.usable_bytes, ram.fits) == (192 + 1536 + 5000 + 8192, 16000, True)
    assert (flash.needed_bytes, flash.usable_bytes, flash.fits) == (96_000, 80_000, False)


def test_time_by_hand():
    low_ms, high_ms = estimated_ms(COST, find_target("nano33ble"))
    assert (low_ms, high_ms) == (pytest.approx(9.0), pytest.approx(12.0))
    assert estimated_ms(COST, find_target("pico")) is None


@needs_toolchain
@pytest.mark.qemu
def test_cost_of_a_denoiser_and_of_its_model(gate, tmp_path):
    path = tmp_path / "foreign.tflite"
    path.write_bytes(gate_model(metadata={}))
    denoiser, model = measure_cost(c_sources(gate)), measure_cost(c_sources(path))
    assert denoiser == measure_cost(c_sources(gate))  # the same in every run
    # The front end: two transforms of 512 points, and their tables.
    assert 50_000 < denoiser.instructions - model.instructions < 90_000
    assert 8_000 < denoiser.rodata_bytes - model.rodata_bytes < 9_000
    assert denoiser.bss_bytes == c_sources(gate).work_bytes
    assert denoiser.data_bytes == 0
    # 1.2 and 1.6 cycles per instruction at 64 MHz
    assert denoiser.low_ms == pytest.approx(denoiser.instructions * 1.2 / 64e3)
    assert denoiser.high_ms == pytest.approx(denoiser.instructions * 1.6 / 64e3)
