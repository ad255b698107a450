"""What the real TFLM says of a model's arena: its report, and whether an arena is large enough."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from dataclasses import dataclass

from oracle import captured_stderr

REPORTED_ARENA_BYTES = 1 << 22
"""Large enough for every model of the tests, and a multiple of 16, as a chip's arena is."""


@dataclass(frozen=True)
class Report:
    """RecordingMicroAllocator::PrintAllocations, parsed: bytes."""

    total_bytes: int
    head_bytes: int
    tail_bytes: int
    used_bytes: dict[str, int]


def report(content: bytes) -> Report:
    """TFLM's account of its arena after allocating the model."""
    from tflite_micro import runtime

    with captured_stderr() as text:
        interpreter = runtime.Interpreter.from_bytes(content, arena_size=REPORTED_ARENA_BYTES)
        interpreter.print_allocations()
    sizes = {name: int(size) for name, size in re.findall(r"allocation (\w+) (\d+) bytes", text[0])}
    used = {name: int(size) for name, size in re.findall(r"'(.*?)' used (\d+) bytes", text[0])}
    return Report(sizes["total"], sizes["head"], sizes["tail"], used)


_TRY_ARENAS = """
import os, pickle, sys
from tflite_micro import runtime

def works(content, arena_bytes):
    child = os.fork()  # TFLM may abort or crash in too small an arena
    if child == 0:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 2)
        try:
            runtime.Interpreter.from_bytes(content, arena_size=arena_bytes).invoke()
        except RuntimeError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0

tries = pickle.load(sys.stdin.buffer)
pickle.dump([[works(content, n) for n in sizes] for content, sizes in tries], sys.stdout.buffer)
"""


def arenas_that_work(tries: list[tuple[bytes, list[int]]]) -> list[list[bool]]:
    """For each model and each arena size, whether TFLM allocates and runs the model in it."""
    done = subprocess.run(
        [sys.executable, "-c", _TRY_ARENAS],
        input=pickle.dumps(tries),
        capture_output=True,
        timeout=280,
        check=True,
    )
    answers: list[list[bool]] = pickle.loads(done.stdout)
    return answers


def bisected_minimum(content: bytes, enough_bytes: int) -> int:
    """The smallest arena that works, found by halving, without knowing the plan."""
    too_small, large_enough = 0, enough_bytes
    while large_enough - too_small > 1:
        # One process tries 15 sizes at once: four halvings.
        step = max(1, (large_enough - too_small) // 16)
        sizes = list(range(too_small + step, large_enough, step))
        answers = arenas_that_work([(content, sizes)])[0]
        for size, works in zip(sizes, answers, strict=True):
            if works:
                large_enough = size
                break
            too_small = size
    return large_enough
