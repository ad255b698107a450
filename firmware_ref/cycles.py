"""A band for the cycles of one inference: an estimate, never measured on silicon.

    cycles = MACs * instructions per MAC * cycles per instruction

Instructions per MAC were counted on an emulated Cortex-M4 that ran the real TFLM: 10.6 to 27.7
with reference kernels (convolutions, dense layers, LSTM), 2.1 to 5.1 with CMSIS-NN. Transposed
convolutions are beyond that band (49). Cycles per instruction follow from the cores' pipelines:
1.2 to 1.6 on an M4 (loads, taken branches, flash wait states) and 0.6 to 1.0 on the dual-issue M7
from tightly coupled memory. Other cores have no such count: no estimate is given for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.targets import Target

INSTRUCTIONS_PER_MAC = {"reference": (10.6, 27.7), "cmsis-nn": (2.1, 5.1)}
CYCLES_PER_INSTRUCTION = {"Cortex-M4F": (1.2, 1.6), "Cortex-M7": (0.6, 1.0)}


@dataclass(frozen=True)
class CycleBand:
    """Cycles of one inference, from `low` to `high`, and the time at the chip's clock."""

    low: int
    high: int
    low_ms: float
    high_ms: float


def estimate_cycles(macs: int, target: Target, cmsis_nn: bool = False) -> CycleBand | None:
    """The band of one inference; None for cores without a count.

    Args:
        macs: multiply-accumulates of one inference.
        target: the chip.
        cmsis_nn: optimised instead of reference kernels.
    """
    if target.core not in CYCLES_PER_INSTRUCTION:
        return None
    fewest, most = INSTRUCTIONS_PER_MAC["cmsis-nn" if cmsis_nn else "reference"]
    fast, slow = CYCLES_PER_INSTRUCTION[target.core]
    low, high = round(macs * fewest * fast), round(macs * most * slow)
    per_ms = target.clock_hz / 1000
    return CycleBand(low, high, low / per_ms, high / per_ms)
