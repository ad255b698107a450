"""What exported C code takes on a Cortex-M: its sizes, its instructions, a band for its cycles."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_ref.cortex_m import CORES, Run, measure_hop, measure_step
from firmware_ref.cycles import CYCLES_PER_INSTRUCTION
from firmware_ref.fit import USABLE_SHARE, Budget
from firmware_ref.targets import Target
from tfkd.c_denoiser.sources import CSources

CORE = "cortex-m4"
CLOCK_HZ = 64_000_000
STACK_BYTES = 8 * 1024  # for the whole firmware; the denoiser takes less than two
CALLS = 20  # kernels without branches on data: more would count the same


@dataclass(frozen=True)
class CortexMCost:
    """Cost of a denoiser on a Cortex-M4: bytes of its files, and of one hop.

    `instructions` are counted under QEMU, of one hop, or of one frame where there is no front end.
    `low_ms` and `high_ms` are an estimate at `CLOCK_HZ`, never measured on silicon.
    """

    text_bytes: int
    rodata_bytes: int
    data_bytes: int
    bss_bytes: int
    stack_bytes: int
    instructions: int
    low_ms: float
    high_ms: float


def measure_cost(sources: CSources) -> CortexMCost:
    """Compile for a Cortex-M4 and run some hops on an emulated one.

    Raises:
        firmware_ref.errors.ToolchainError: a tool is missing, or refuses.
    """
    run = _measured(sources)
    sections = run.sizes.sections.values()
    low_ms, high_ms = _band_ms(run.instructions_max, "Cortex-M4F", CLOCK_HZ)
    return CortexMCost(
        text_bytes=sum(s.text for s in sections),
        rodata_bytes=sum(s.rodata for s in sections),
        data_bytes=sum(s.data for s in sections),
        bss_bytes=sum(s.bss for s in sections),
        stack_bytes=run.stack_bytes,
        instructions=run.instructions_max,
        low_ms=low_ms,
        high_ms=high_ms,
    )


def budgets(sources: CSources, cost: CortexMCost, chip: Target) -> tuple[Budget, ...]:
    """What one channel needs of a chip's SRAM, stack included, and of its flash."""
    ram_bytes = sources.state_bytes + cost.data_bytes + cost.bss_bytes + STACK_BYTES
    flash_bytes = cost.text_bytes + cost.rodata_bytes + cost.data_bytes
    return (
        Budget("SRAM", ram_bytes, int(USABLE_SHARE * chip.sram_bytes)),
        Budget("flash", flash_bytes, int(USABLE_SHARE * chip.flash_bytes)),
    )


def estimated_ms(cost: CortexMCost, chip: Target) -> tuple[float, float] | None:
    """The time of one hop on a chip, a band; None for cores without a count."""
    if chip.core not in CYCLES_PER_INSTRUCTION:
        return None
    return _band_ms(cost.instructions, chip.core, chip.clock_hz)


def _band_ms(instructions: int, core: str, clock_hz: float) -> tuple[float, float]:
    """The least and the most time that so many instructions take."""
    fast, slow = CYCLES_PER_INSTRUCTION[core]
    per_ms = clock_hz / 1000
    return instructions * fast / per_ms, instructions * slow / per_ms


def _measured(sources: CSources) -> Run:
    """White noise through the whole denoiser, or random frames through the model."""
    rng = np.random.default_rng(0)
    if sources.frontend is None:
        frames_q = rng.integers(-128, 128, (CALLS, sources.input_size)).astype(np.int8)
        return measure_step(sources.files, CORES[CORE], frames_q)
    samples = rng.normal(0, 3000, CALLS * sources.frontend.hop)
    rate = sources.frontend.sample_rate
    return measure_hop(sources.files, CORES[CORE], samples.astype(np.int16), rate)
