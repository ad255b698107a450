"""`python -m firmware_ref.c_export MODEL [-o FOLDER] [--measure]`: a model as C99, and its cost.

Exit codes: 0 done, 1 the model cannot be exported or a tool is missing, 2 wrong usage,
130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from firmware_ref.arena import plan_arena
from firmware_ref.c_export.export import CSource, export_c
from firmware_ref.cortex_m import CORES, measure_step
from firmware_ref.errors import FirmwareRefError
from firmware_ref.macs import model_macs
from firmware_ref.model import Model
from firmware_ref.reader import read_model
from firmware_ref.standard_output import discard_output
from firmware_ref.whole_file import write_together

OK, ERROR, INTERRUPTED = 0, 1, 130
FRAMES = 20
COLUMNS = "{:<13} {:<7} {:>12} {:>8} {:>11} {:>15} {:>12}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m firmware_ref.c_export",
        description="Write a .tflite model as C99 that needs no interpreter.",
        epilog="example:\n  python -m firmware_ref.c_export model.tflite -o model_c --measure",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="a .tflite file")
    parser.add_argument("-o", "--output", metavar="FOLDER", help="where to write the C files")
    parser.add_argument(
        "--measure",
        action="store_true",
        help="compile for Cortex-M0+, M4 and M55, emulate, and count instructions",
    )
    return parser


def measurements(model: Model, source: CSource) -> Iterator[str]:
    """Lines of a table: memory beside TFLM's, then what a step costs on each core.

    Raises:
        ToolchainError: a tool is missing.
    """
    plan, macs = plan_arena(model, abi="cortex-m"), model_macs(model)
    ram_bytes = source.state_bytes + source.work_bytes
    yield (
        f"RAM: {ram_bytes:,} bytes (state {source.state_bytes:,}, work {source.work_bytes:,}); "
        f"TFLM's smallest arena on Cortex-M: {plan.min_bytes:,} "
        f"(ratio {ram_bytes / plan.min_bytes:.2f})"
    )
    yield f"{macs:,} MACs per step"
    yield COLUMNS.format(
        "core", "kernels", "instructions", "per MAC", "code bytes", "constant bytes", "stack bytes"
    )
    frame = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]]
    rng = np.random.default_rng(0)
    frames_q = rng.integers(-128, 128, (FRAMES, frame.elements)).astype(np.int8)
    for core in CORES.values():
        for simd in (False, True) if core.simd else (False,):
            run = measure_step(source.files, core, frames_q, simd=simd)
            yield COLUMNS.format(
                core.name,
                core.simd if simd else "plain",
                f"{run.instructions_mean:,}",
                f"{run.instructions_mean / macs:.2f}" if macs else "-",
                f"{run.sizes.code_bytes:,}",
                f"{run.sizes.constant_bytes:,}",
                f"{run.stack_bytes:,}",
            )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if not options.output and not options.measure:
        parser.error("say where to write the files with -o FOLDER, or --measure them")
    try:
        model = read_model(Path(options.model))
        source = export_c(model)
        if options.output:
            folder = Path(options.output)
            write_together(folder, source.files)
            print(*(folder / name for name in source.files), sep="\n", flush=True)
        if options.measure:
            for line in measurements(model, source):
                print(line, flush=True)
    except BrokenPipeError:  # whoever read the output, such as `head`, has had enough
        discard_output()
    except (FirmwareRefError, OSError) as error:
        if isinstance(error, OSError) and error.filename is None:  # of stdout, not of a file
            discard_output()
        print(f"error: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    return OK


if __name__ == "__main__":
    sys.exit(main())
