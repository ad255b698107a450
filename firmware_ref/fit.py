"""Whether a model fits a chip: flash, SRAM, and one contiguous piece of it for the arena.

    arena + reserve      <= 0.8 * SRAM
    arena                <= the largest contiguous block
    model file + runtime <= 0.8 * flash

The fifth that is left is for what the firmware does besides: drivers, a radio's stack, its heap.
"""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.targets import KIB, Target

USABLE_SHARE = 0.8
RESERVED_SRAM_BYTES = 16 * KIB
"""8 KiB of stack and 8 KiB of audio: window, spectrum, overlap-add and input buffers of 512
samples."""
REFERENCE_RUNTIME_BYTES = 89 * KIB
"""Flash of TFLM with reference kernels and a resolver of 12 operators, -O2, measured."""
CMSIS_NN_RUNTIME_BYTES = 144 * KIB
"""The same with CMSIS-NN kernels, measured."""


@dataclass(frozen=True)
class Budget:
    """One limit of the chip: bytes that are needed, and bytes that may be used."""

    name: str
    needed_bytes: int
    usable_bytes: int

    @property
    def margin_bytes(self) -> int:
        """What is left; negative where it does not fit."""
        return self.usable_bytes - self.needed_bytes

    @property
    def fits(self) -> bool:
        """Whether the need is met."""
        return self.margin_bytes >= 0


@dataclass(frozen=True)
class Fit:
    """A model on a chip."""

    target: Target
    budgets: tuple[Budget, ...]

    @property
    def fits(self) -> bool:
        """Whether every limit is kept."""
        return all(budget.fits for budget in self.budgets)


def check_fit(
    target: Target,
    arena_bytes: int,
    model_bytes: int,
    *,
    cmsis_nn: bool = False,
    reserved_sram_bytes: int = RESERVED_SRAM_BYTES,
) -> Fit:
    """Hold a model's needs against a chip's limits.

    Args:
        target: the chip.
        arena_bytes: the smallest arena that works, not only what is used after setup.
        model_bytes: size of the .tflite file, which stays in flash.
        cmsis_nn: whether TFLM is built with CMSIS-NN, which takes more flash.
        reserved_sram_bytes: SRAM for stack and audio buffers.
    """
    runtime_bytes = CMSIS_NN_RUNTIME_BYTES if cmsis_nn else REFERENCE_RUNTIME_BYTES
    usable_sram = int(USABLE_SHARE * target.sram_bytes)
    usable_flash = int(USABLE_SHARE * target.flash_bytes)
    return Fit(
        target,
        (
            Budget("SRAM", arena_bytes + reserved_sram_bytes, usable_sram),
            Budget("arena in one block", arena_bytes, target.largest_block_bytes),
            Budget("flash", model_bytes + runtime_bytes, usable_flash),
        ),
    )
