"""What exported code costs on a Cortex-M4, with its front end and without."""

import pytest
from gate_model import gate_model

from firmware_ref.cortex_m import missing_tools
from tfkd.c_denoiser import c_sources
from tfkd.c_denoiser.cost import measure_cost

pytestmark = [
    pytest.mark.qemu,
    pytest.mark.skipif(
        bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"
    ),
]


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
