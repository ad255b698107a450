"""Time of one frame in firmware_ref and in TFLite Micro's wheel, side by side.

    python benchmarks/firmware_ref_speed.py MODEL.tflite ... [--frames N] [--json]

A frame is: set every input, invoke, read every output. The two take turns in short bursts on one
thread, so that both meet the same machine. Minimum and median are over the bursts; the ratio is
firmware_ref / TFLM, below 1 when firmware_ref is the faster one.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402

from firmware_ref.interpreter import Interpreter  # noqa: E402

BURST_FRAMES = 5
Frame = list[np.ndarray[Any, Any]]


def random_frame(interpreter: Interpreter, seed: int = 0) -> Frame:
    """One array per input, over the whole range of its type."""
    rng = np.random.default_rng(seed)
    frame = []
    for detail in interpreter.get_input_details():
        shape, dtype = detail["shape"], np.dtype(detail["dtype"])
        if dtype.kind == "f":
            frame.append(rng.standard_normal(shape).astype(dtype))
        else:
            info = np.iinfo(dtype)
            frame.append(rng.integers(info.min, info.max, shape, dtype, endpoint=True))
    return frame


def firmware_ref_frame(content: bytes) -> tuple[Callable[[], list[Any]], Frame]:
    """A function that runs one frame, and the frame."""
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    frame = random_frame(interpreter)
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    outputs = [detail["index"] for detail in interpreter.get_output_details()]

    def run() -> list[Any]:
        for index, value in zip(inputs, frame, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in outputs]

    return run, frame


def tflm_frame(content: bytes, frame: Frame, outputs: int) -> Callable[[], list[Any]]:
    """The same in the tflite-micro wheel."""
    from tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(content, arena_size=2**20 + 4 * len(content))

    def run() -> list[Any]:
        for position, value in enumerate(frame):
            interpreter.set_input(value, position)
        interpreter.invoke()
        return [interpreter.get_output(position) for position in range(outputs)]

    return run


def measure(path: str, frames: int) -> dict[str, Any]:
    """Milliseconds per frame of both, and whether a first frame's outputs are equal."""
    content = Path(path).read_bytes()
    ours, frame = firmware_ref_frame(content)
    first = ours()
    theirs = tflm_frame(content, frame, len(first))
    equal = all(np.array_equal(a, b) for a, b in zip(first, theirs(), strict=True))
    ours_ms: list[float] = []
    theirs_ms: list[float] = []
    for _ in range(max(1, frames // BURST_FRAMES)):
        for run, times_ms in ((ours, ours_ms), (theirs, theirs_ms)):
            start_ns = perf_counter_ns()
            for _ in range(BURST_FRAMES):
                run()
            times_ms.append((perf_counter_ns() - start_ns) / BURST_FRAMES / 1e6)
    return {
        "model": Path(path).name,
        "equal": equal,
        "frames": frames,
        "firmware_ref_ms": {"median": median(ours_ms), "min": min(ours_ms)},
        "tflm_ms": {"median": median(theirs_ms), "min": min(theirs_ms)},
        "ratio": {
            "median": median(ours_ms) / median(theirs_ms),
            "min": min(ours_ms) / min(theirs_ms),
        },
    }


def main() -> int:
    """Print a table, or one JSON object; exit 3 when the outputs differ."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="+", metavar="MODEL.tflite")
    parser.add_argument("--frames", type=int, default=1000, help="default: %(default)s")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    results = [measure(path, arguments.frames) for path in arguments.models]
    if arguments.json:
        machine = {"machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"schema": 1, **machine, "numpy": np.__version__, "results": results}))
    else:
        print(f"{'model':28}{'firmware_ref ms':>22}{'TFLM ms':>20}{'ratio':>18}   outputs")
        print(f"{'':28}{'median':>11}{'min':>11}{'median':>10}{'min':>10}{'median':>9}{'min':>9}")
        for r in results:
            ours, theirs, ratio = r["firmware_ref_ms"], r["tflm_ms"], r["ratio"]
            print(
                f"{r['model']:28}{ours['median']:11.3f}{ours['min']:11.3f}"
                f"{theirs['median']:10.3f}{theirs['min']:10.3f}"
                f"{ratio['median']:9.2f}{ratio['min']:9.2f}   "
                f"{'equal' if r['equal'] else 'DIFFER'}"
            )
    return 0 if all(r["equal"] for r in results) else 3


if __name__ == "__main__":
    sys.exit(main())
