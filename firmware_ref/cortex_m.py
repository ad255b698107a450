"""Exported C on an emulated Cortex-M: its sizes by arm-none-eabi-gcc, instructions by QEMU.

    if not missing_tools():
        source = export_c(read_model("model.tflite"))
        run = measure_step(source.files, CORES["cortex-m4"], frames_q)
        run.instructions_mean, run.sizes.code_bytes

`measure_hop` does the same for the whole denoiser that `tfkd convert --emit-c` writes.

Instructions are counted under QEMU's -icount: the same number in every run, but no cycles. The
start-up code, linker scripts and programs are those of firmware_ref/examples/cortex_m.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import wave
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ToolchainError

COMPILER, SIZE, EMULATOR = "arm-none-eabi-gcc", "arm-none-eabi-size", "qemu-system-arm"
PACKAGES = {
    COMPILER: "gcc-arm-none-eabi and libnewlib-arm-none-eabi",
    SIZE: "binutils-arm-none-eabi",
    EMULATOR: "qemu-system-arm",
}
"""What brings the tools, on Debian and Ubuntu."""

OPTIONS = ("-std=c99", "-O2", "-ffunction-sections", "-fdata-sections")
STRICT = ("-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror")
SUPPORT = ("startup.c", "semihosting.c", "instruction_counter.c")
STEP_PROGRAM = ("step_frames.c",)
HOP_PROGRAM = ("denoise_wav.c", "wav.c")
PLAIN_C = "-DTFKD_PLAIN_C"
CONSTANTS = ("weights.c", "front_end.c")
ICOUNT = "shift=6,align=off,sleep=off"
"""An instruction takes 2^6 ns of the emulated time: instruction_counter.h counts on it."""
TIMEOUT_S = 300


@dataclass(frozen=True)
class Core:
    """A processor, the board of QEMU that has it, and its SIMD extension, if any."""

    name: str
    options: tuple[str, ...]
    machine: str
    linker_script: str
    simd: str | None


CORES = {
    core.name: core
    for core in (
        # QEMU has no Cortex-M0+ with memory enough; a Cortex-M3 runs the same instructions.
        Core("cortex-m0plus", ("-mthumb", "-mcpu=cortex-m0plus"), "mps2-an385", "mps2.ld", None),
        Core(
            "cortex-m4",
            ("-mthumb", "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"),
            "mps2-an386",
            "mps2.ld",
            "DSP",
        ),
        Core(
            "cortex-m55",
            ("-mthumb", "-mcpu=cortex-m55", "-mfloat-abi=hard"),
            "mps3-an547",
            "mps3_an547.ld",
            "Helium",
        ),
    )
}


@dataclass(frozen=True)
class Sections:
    """Bytes of one object file: `text` and `rodata` in flash, `data` in both, `bss` in RAM."""

    text: int
    rodata: int
    data: int
    bss: int


@dataclass(frozen=True)
class Sizes:
    """What the exported files take, without the program around them.

    Attributes:
        sections: source file, such as `"model.c"`, -> bytes of its object.
    """

    sections: Mapping[str, Sections]

    @property
    def code_bytes(self) -> int:
        """Flash of instructions and parameters: all files but the constants'."""
        return self._flash(name for name in self.sections if name not in CONSTANTS)

    @property
    def constant_bytes(self) -> int:
        """Flash of weights.c (weights, biases, multipliers, tables) and front_end.c (tables)."""
        return self._flash(name for name in self.sections if name in CONSTANTS)

    @property
    def ram_bytes(self) -> int:
        """Static RAM: the work buffers. The state, one per stream, belongs to the caller."""
        return sum(s.data + s.bss for s in self.sections.values())

    def _flash(self, names: Iterable[str]) -> int:
        return sum(self.sections[name].text + self.sections[name].rodata for name in names)


@dataclass(frozen=True)
class Firmware:
    """A linked program. It runs in the folder that holds it."""

    elf: Path
    core: Core
    sizes: Sizes


@dataclass(frozen=True)
class Run:
    """What a run over frames or hops gave.

    Attributes:
        output: of tfkd_step: int8 [frames, TFKD_OUTPUT_SIZE]; of tfkd_denoise_hop: int16 samples,
            aligned with the input.
        instructions_mean, instructions_max: of one call.
        stack_bytes: the deepest stack of the whole program.
        sizes: of the exported files.
    """

    output: NDArray[Any]
    instructions_mean: int
    instructions_max: int
    stack_bytes: int
    sizes: Sizes


def missing_tools() -> tuple[str, ...]:
    """Commands of arm-none-eabi-gcc, its size and QEMU that are not installed here."""
    return tuple(tool for tool in PACKAGES if shutil.which(tool) is None)


def build(
    sources: Mapping[str, str],
    folder: Path,
    core: Core,
    *,
    program: tuple[str, ...] = STEP_PROGRAM,
    simd: bool = True,
) -> Firmware:
    """Compile exported files with a program of examples/cortex_m, warnings being errors, and link.

    Args:
        sources: name -> text of C files and headers, as `export_c` gives them.
        folder: an existing folder, for the files, the objects and `firmware.elf`.
        core: the core.
        program: its files: STEP_PROGRAM runs tfkd_step over frames.bin, HOP_PROGRAM
            tfkd_denoise_hop over a WAV file.
        simd: whether the kernels may use the core's SIMD extension.

    Raises:
        ToolchainError: a tool is missing, or the compiler refused.
    """
    _require(COMPILER, SIZE)
    for name, text in sources.items():
        (folder / name).write_text(text, encoding="utf-8")
    options = [*core.options, *OPTIONS, *STRICT, *(() if simd else (PLAIN_C,))]
    exported = sorted(name for name in sources if name.endswith(".c"))
    with as_file(files("firmware_ref") / "examples" / "cortex_m") as example:
        inputs = {name: folder / name for name in exported}
        inputs |= {name: example / name for name in (*program, *SUPPORT)}
        for name, path in inputs.items():
            search = [f"-I{folder}", f"-I{example}"]
            _call([COMPILER, *options, *search, "-c", str(path), "-o", f"{name}.o"], folder)
        objects = [f"{name}.o" for name in inputs]
        script = [f"-L{example}", f"-T{example / core.linker_script}"]
        link = ["-nostartfiles", "-Wl,--gc-sections", *script, *objects, "-lm"]
        _call([COMPILER, *core.options, *link, "-o", "firmware.elf"], folder)
    sections = {name: _sections(folder / f"{name}.o") for name in exported}
    return Firmware(folder / "firmware.elf", core, Sizes(sections))


def emulate(firmware: Firmware, arguments: tuple[str, ...] = ()) -> dict[str, int]:
    """Run a program in its folder; the `name=value` lines that it printed.

    Args:
        firmware: from `build`.
        arguments: its command line, without commas.

    Raises:
        ToolchainError: QEMU is missing, or the program ended with another status than 0.
    """
    _require(EMULATOR)
    line = "".join(f",arg={word}" for word in (firmware.elf.name, *arguments))
    output = _call(
        [
            EMULATOR, "-M", firmware.core.machine, "-nographic", "-monitor", "none",
            "-serial", "none", "-semihosting-config", f"enable=on,target=native{line}",
            "-icount", ICOUNT, "-kernel", firmware.elf.name,
        ],
        firmware.elf.parent,
    )  # fmt: skip
    return {name: int(value) for name, value in re.findall(r"^(\w+)=(\d+)$", output, re.MULTILINE)}


def measure_step(
    sources: Mapping[str, str], core: Core, frames_q: NDArray[np.int8], *, simd: bool = True
) -> Run:
    """Build exported files, run tfkd_step over `frames_q` (int8 [frames, ...]) and count.

    Raises:
        ToolchainError: as `build` and `emulate`.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        firmware = build(sources, folder, core, simd=simd)
        (folder / "frames.bin").write_bytes(frames_q.tobytes())
        printed = emulate(firmware)
        masks = np.fromfile(folder / "masks.bin", np.int8)
    return _run(masks.reshape(len(frames_q), -1), printed, firmware)


def measure_hop(
    sources: Mapping[str, str],
    core: Core,
    samples: NDArray[np.int16],
    sample_rate: int,
    *,
    simd: bool = True,
) -> Run:
    """Build exported files with their front end, denoise `samples` and count per hop.

    Args:
        sources: with denoiser.h, as `tfkd convert --emit-c` writes them.
        core: the core.
        samples: int16 [n], mono.
        sample_rate: Hz, that of the model.
        simd: as for `build`.

    Raises:
        ToolchainError: as `build` and `emulate`.
    """
    with TemporaryDirectory() as name:
        folder = Path(name)
        firmware = build(sources, folder, core, program=HOP_PROGRAM, simd=simd)
        with wave.open(str(folder / "in.wav"), "wb") as file:
            file.setparams((1, 2, sample_rate, 0, "NONE", ""))
            file.writeframes(samples.astype("<i2").tobytes())
        printed = emulate(firmware, ("in.wav", "out.wav"))
        with wave.open(str(folder / "out.wav"), "rb") as file:
            output = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    return _run(output, printed, firmware)


def _run(output: NDArray[Any], printed: Mapping[str, int], firmware: Firmware) -> Run:
    return Run(
        output,
        printed["instructions_mean"],
        printed["instructions_max"],
        printed["stack_bytes"],
        firmware.sizes,
    )


def _require(*tools: str) -> None:
    missing = [tool for tool in tools if tool in missing_tools()]
    if missing:
        raise ToolchainError(
            f"{missing[0]} is not installed. Install {PACKAGES[missing[0]]} (Debian's names)."
        )


def _call(command: list[str], folder: Path) -> str:
    """What a tool printed; ToolchainError with its own words when it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise ToolchainError(f"{command[0]} did not end within {TIMEOUT_S} s.") from error
    if done.returncode:
        raise ToolchainError(
            f"{command[0]} ended with status {done.returncode}:\n{done.stdout.strip()}"
        )
    return done.stdout


def _sections(path: Path) -> Sections:
    """Sizes of an object by the names of its sections (`arm-none-eabi-size -A`)."""
    table = _call([SIZE, "-A", path.name], path.parent)
    rows = re.findall(r"^\.(text|rodata|data|bss)\S*\s+(\d+)", table, re.MULTILINE)
    return Sections(
        **{
            kind: sum(int(size) for name, size in rows if name == kind)
            for kind in ("text", "rodata", "data", "bss")
        }
    )
