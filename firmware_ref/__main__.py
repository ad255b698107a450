"""`python -m firmware_ref MODEL [--target CHIP] [--json]`: what a model asks of a chip.

Exit codes: 0 done (and it fits), 1 the model cannot be used, 2 wrong usage, 3 it does not fit,
130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from firmware_ref.arena.abi import ABIS
from firmware_ref.arena.ascii_map import draw_arena
from firmware_ref.arena.offline_plan import write_offline_plan
from firmware_ref.arena.plot import save_arena_plot
from firmware_ref.errors import FirmwareRefError, TargetError
from firmware_ref.fit import RESERVED_SRAM_BYTES
from firmware_ref.report import make_report, report_as_json
from firmware_ref.report_text import report_as_text, targets_as_text
from firmware_ref.standard_output import discard_output
from firmware_ref.targets import find_target

OK, ERROR, DOES_NOT_FIT, INTERRUPTED = 0, 1, 3, 130

EXAMPLE = "example:\n  python -m firmware_ref model.tflite --target nano33ble --map"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m firmware_ref",
        description="Report what a .tflite model asks of TFLite Micro on a chip: operators, MACs, "
        "weights, the arena to the byte, and whether it all fits.",
        epilog=EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", nargs="?", metavar="MODEL", help="a .tflite file")
    parser.add_argument("--target", metavar="CHIP", help="chip to fit; --list-targets names them")
    parser.add_argument("--cmsis-nn", action="store_true", help="CMSIS-NN instead of reference")
    parser.add_argument(
        "--abi",
        choices=sorted(ABIS),
        default="cortex-m",
        help="whose struct sizes the arena counts (default: %(default)s)",
    )
    parser.add_argument(
        "--reserve-sram",
        type=int,
        metavar="BYTES",
        default=RESERVED_SRAM_BYTES,
        help="SRAM for stack and audio buffers (default: %(default)s)",
    )
    parser.add_argument("--map", action="store_true", help="draw the arena over time as text")
    parser.add_argument("--plot", metavar="FILE", help="draw it as a picture (needs matplotlib)")
    parser.add_argument(
        "--write-plan",
        metavar="OUT",
        help="write a copy of the model that prescribes a smaller arena to TFLM",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--list-targets", action="store_true", help="print the chips and stop")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.model is None and not options.list_targets:
        parser.error("MODEL is missing: the path of a .tflite file")
    if options.reserve_sram < 0:
        parser.error(f"--reserve-sram must not be negative, received {options.reserve_sram}")
    try:
        text, exit_code = _list_targets() if options.list_targets else _report(options)
    except TargetError as error:
        parser.error(str(error))
    except FirmwareRefError as error:
        print(f"error: {error}", file=sys.stderr)
        return ERROR
    except KeyboardInterrupt:
        return INTERRUPTED
    return _print(text, exit_code)


def _print(text: str, exit_code: int) -> int:
    """Print, last of all: a reader that leaves early, such as `head`, changes nothing else."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        discard_output()
    except OSError as error:
        discard_output()
        print(f"error: cannot print: {error.strerror}.", file=sys.stderr)
        return ERROR
    return exit_code


def _list_targets() -> tuple[str, int]:
    return targets_as_text(), OK


def _report(options: argparse.Namespace) -> tuple[str, int]:
    """The text for stdout and the exit code; files are written here."""
    target = None if options.target is None else find_target(options.target)
    report = make_report(
        options.model,
        target,
        abi=options.abi,
        cmsis_nn=options.cmsis_nn,
        reserved_sram_bytes=options.reserve_sram,
    )
    if options.json:
        text = json.dumps(report_as_json(report))
    else:
        text = report_as_text(report)
        if options.map:
            text += f"\n\n{draw_arena(report.plan)}"
    if options.plot is not None:
        save_arena_plot(report.plan, options.plot, title=options.model)
        print(f"wrote {options.plot}", file=sys.stderr)
    if options.write_plan is not None:
        mve = target is not None and target.simd == "MVE"
        plan = write_offline_plan(
            options.model, options.write_plan, options.abi, cmsis_nn=options.cmsis_nn, mve=mve
        )
        best = ", the least possible" if plan.is_optimal else ""
        kept = "" if plan.saved_bytes else "an equal copy, for no smaller arena is found: "
        print(
            f"wrote {options.write_plan}: {kept}head {plan.planned.head_bytes:,} B instead of "
            f"{plan.greedy.head_bytes:,} B{best}; smallest arena {plan.planned.min_bytes:,} B "
            f"({plan.saved_bytes:,} B saved)",
            file=sys.stderr,
        )
    return text, OK if report.fits else DOES_NOT_FIT


if __name__ == "__main__":
    sys.exit(main())
