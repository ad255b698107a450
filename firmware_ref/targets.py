"""Chips and boards with their memory: what a model has to fit into.

Each entry names where its numbers come from; `is_verified` says whether every one of them was read
there, or some are general knowledge that still wants a look into the datasheet. 1 KiB = 1024 B.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from firmware_ref.errors import TargetError

KIB = 1024
MHZ = 1_000_000


@dataclass(frozen=True)
class Target:
    """One chip or board.

    Args:
        name: what users type.
        chip: the chip's designation.
        core: "Cortex-M4F" and so on: the core that runs the model.
        flash_bytes: program memory.
        has_external_flash: whether that is a separate chip, of the size that is usual on boards.
        sram_bytes: all data memory on the chip.
        largest_block_bytes: the largest contiguous run of it: the arena must lie in one piece.
        clock_hz: highest clock of that core.
        simd: "DSP" (two 16-bit MACs a step), "MVE" (vectors of 16 int8), another unit, or "none".
        source: where the numbers were read.
        is_verified: whether all of them were.

    Raises:
        TargetError: a size or the clock is not above 0, or a block is larger than the whole SRAM.
    """

    name: str
    chip: str
    core: str
    flash_bytes: int
    has_external_flash: bool
    sram_bytes: int
    largest_block_bytes: int
    clock_hz: int
    simd: str
    source: str
    is_verified: bool

    def __post_init__(self) -> None:
        for name in ("flash_bytes", "sram_bytes", "largest_block_bytes", "clock_hz"):
            if getattr(self, name) <= 0:
                raise TargetError(
                    f"target {self.name!r}: {name} is {getattr(self, name)}, expected more than 0."
                )
        if self.largest_block_bytes > self.sram_bytes:
            raise TargetError(
                f"target {self.name!r}: largest_block_bytes is {self.largest_block_bytes}, more "
                f"than the {self.sram_bytes} of sram_bytes that it is a part of."
            )

    @property
    def is_arm(self) -> bool:
        """Whether the core is a Cortex, for which CMSIS-NN exists."""
        return self.core.startswith("Cortex")


def _target(
    name: str,
    chip: str,
    core: str,
    *,
    flash_kib: int,
    sram_kib: int,
    mhz: int,
    simd: str,
    source: str,
    is_verified: bool,
    block_kib: int | None = None,
    has_external_flash: bool = False,
) -> Target:
    return Target(
        name=name,
        chip=chip,
        core=core,
        flash_bytes=flash_kib * KIB,
        has_external_flash=has_external_flash,
        sram_bytes=sram_kib * KIB,
        largest_block_bytes=(sram_kib if block_kib is None else block_kib) * KIB,
        clock_hz=mhz * MHZ,
        simd=simd,
        source=source,
        is_verified=is_verified,
    )


_TARGETS = (
    _target(
        "nano33ble",
        "nRF52840",
        "Cortex-M4F",
        flash_kib=1024,
        sram_kib=256,
        mhz=64,
        simd="DSP",
        source="Arduino documentation, Nano 33 BLE",
        is_verified=True,
    ),
    _target(
        "stm32f4disco",
        "STM32F407VG",
        "Cortex-M4F",
        flash_kib=1024,
        sram_kib=192,
        block_kib=128,  # the other 64 KiB are core-coupled memory at another address
        mhz=168,
        simd="DSP",
        source="Zephyr stm32f4_disco, PlatformIO",
        is_verified=True,
    ),
    _target(
        "stm32f746disco",
        "STM32F746NG",
        "Cortex-M7",
        flash_kib=1024,
        sram_kib=340,
        mhz=216,
        simd="DSP",
        source="RIOT stm32f746g-disco; clock and contiguity: general knowledge",
        is_verified=False,
    ),
    _target(
        "stm32h747disco",
        "STM32H747XI",
        "Cortex-M7",
        flash_kib=2048,
        sram_kib=1024,
        block_kib=512,
        mhz=480,
        simd="DSP",
        source="Zephyr stm32h747i_disco; size of the AXI SRAM: general knowledge",
        is_verified=False,
    ),
    _target(
        "stm32u585",
        "STM32U585",
        "Cortex-M33",
        flash_kib=2048,
        sram_kib=784,
        block_kib=768,
        mhz=160,
        simd="DSP",
        source="probe.rs target page; clock and 16 KiB of SRAM4: general knowledge",
        is_verified=False,
    ),
    _target(
        "esp32",
        "ESP32",
        "Xtensa LX6",
        flash_kib=4096,
        has_external_flash=True,
        sram_kib=520,
        block_kib=320,
        mhz=240,
        simd="none",
        source="wasm3 hardware list; share usable for data: general knowledge",
        is_verified=False,
    ),
    _target(
        "esp32s3",
        "ESP32-S3",
        "Xtensa LX7",
        flash_kib=4096,
        has_external_flash=True,
        sram_kib=512,
        mhz=240,
        simd="128-bit vectors (esp-nn)",
        source="SoCXin documentation; flash of a usual module and contiguity: general knowledge",
        is_verified=False,
    ),
    _target(
        "pico",
        "RP2040",
        "Cortex-M0+",
        flash_kib=2048,
        has_external_flash=True,
        sram_kib=264,
        mhz=133,
        simd="none",
        source="MicroPython documentation, rp2; size of the flash: general knowledge",
        is_verified=False,
    ),
    _target(
        "pico2",
        "RP2350",
        "Cortex-M33",
        flash_kib=4096,
        has_external_flash=True,
        sram_kib=520,
        mhz=150,
        simd="DSP",
        source="MicroPython documentation, discussion 18260; DSP extension: general knowledge",
        is_verified=False,
    ),
    _target(
        "apollo3",
        "Apollo3 Blue (SparkFun Edge)",
        "Cortex-M4F",
        flash_kib=1024,
        sram_kib=384,
        mhz=48,  # 96 in bursts
        simd="DSP",
        source="Zephyr apollo3_evb",
        is_verified=True,
    ),
    _target(
        "apollo4p",
        "Apollo4 Plus",
        "Cortex-M4F",
        flash_kib=2048,
        sram_kib=2816,
        block_kib=384,  # the tightly coupled part; the shared part's layout is not documented there
        mhz=192,
        simd="DSP",
        source="Zephyr apollo4p_evb",
        is_verified=True,
    ),
    _target(
        "apollo510",
        "Apollo510",
        "Cortex-M55",
        flash_kib=4096,
        sram_kib=3072,
        mhz=250,
        simd="MVE",
        source="general knowledge",
        is_verified=False,
    ),
    _target(
        "corstone300",
        "Corstone-300 (mps3-an547)",
        "Cortex-M55",
        flash_kib=512,  # the model and code live in ITCM
        sram_kib=1536,
        block_kib=512,
        mhz=25,
        simd="MVE",
        source="general knowledge; QEMU's mps3-an547 runs with its ITCM and DTCM",
        is_verified=False,
    ),
    _target(
        "himax",
        "HX6537-A (WE-I Plus)",
        "ARC EM9D",
        flash_kib=2048,
        has_external_flash=True,
        sram_kib=2048,
        mhz=400,
        simd="ARC DSP",
        source="general knowledge",
        is_verified=False,
    ),
    _target(
        "nrf5340",
        "nRF5340, application core",
        "Cortex-M33",
        flash_kib=1024,
        sram_kib=512,
        mhz=128,
        simd="DSP",
        source="Zephyr nrf5340dk; flash and SRAM: general knowledge",
        is_verified=False,
    ),
)

TARGETS: Mapping[str, Target] = MappingProxyType({target.name: target for target in _TARGETS})
"""Name -> chip."""


def find_target(name: str) -> Target:
    """The chip of that name.

    Raises:
        TargetError: no such name; the message offers the nearest ones.
    """
    if name in TARGETS:
        return TARGETS[name]
    near = get_close_matches(name.lower(), TARGETS, n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise TargetError(f"unknown target {name!r}.{hint} Known: {', '.join(TARGETS)}.")
