"""A band for the cycles of one inference: an estimate, never measured on silicon.

    cycles = MACs * instructions per MAC * cycles per instruction

Instructions per MAC were counted on an emulated Cortex-M4 that ran the real TFLM: 10.6 to 27.7
with reference kernels (convolutions, dense layers, LSTM), 2.1 to 5.1 with CMSIS-NN. Transposed
convolutions are beyond that band (49). The C of `firmware_ref.c_export` took 1.3 to 2.7 with DSP
for denoisers of 0.03 to 0.51 million MACs, the fewer the wider the layers. Cycles per instruction
follow from the cores' pipelines: 1.2 to 1.6 on an M4 (loads, taken branches, flash wait states) and
0.6 to 1.0 on the dual-issue M7 from tightly coupled memory. Other cores have no such count: no
estimate is given for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from firmware_ref.targets import Target

Kernels = Literal["reference", "cmsis-nn", "exported-c"]

INSTRUCTIONS_PER_MAC: Mapping[Kernels, tuple[float, float]] = {
    "reference": (10.6, 27.7),
    "cmsis-nn": (2.1, 5.1),
    "exported-c": (1.3, 2.7),
}
KERNEL_NAMES: Mapping[Kernels, str] = {
    "reference": "reference kernels",
    "cmsis-nn": "CMSIS-NN",
    "exported-c": "exported C",
}
CYCLES_PER_INSTRUCTION = {"Cortex-M4F": (1.2, 1.6), "Cortex-M7": (0.6, 1.0)}


@dataclass(frozen=True)
class CycleBand:
    """Cycles of one inference, from `low` to `high`, and the time at the chip's clock."""

    low: int
    high: int
    low_ms: float
    high_ms: float


def estimate_cycles(macs: int, target: Target, kernels: Kernels = "reference") -> CycleBand | None:
    """The band of one inference; None for cores without a count.

    Args:
        macs: multiply-accumulates of one inference.
        target: the chip.
        kernels: which code computes them.

    Raises:
        ValueError: no such kernels.
    """
    if kernels not in INSTRUCTIONS_PER_MAC:
        raise ValueError(f"kernels is one of {', '.join(INSTRUCTIONS_PER_MAC)}, not {kernels!r}")
    if target.core not in CYCLES_PER_INSTRUCTION:
        return None
    fewest, most = INSTRUCTIONS_PER_MAC[kernels]
    fast, slow = CYCLES_PER_INSTRUCTION[target.core]
    low, high = round(macs * fewest * fast), round(macs * most * slow)
    per_ms = target.clock_hz / 1000
    return CycleBand(low, high, low / per_ms, high / per_ms)
