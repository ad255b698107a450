"""How much of its arena TFLite Micro really uses: its own report, read from a subprocess.

The wheel offers the figures only as text that C++ code writes to stderr.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass

from tfkd.engines.tensor_trace import ModelFile
from tfkd.engines.tflm import import_runtime
from tfkd.errors import ModelError

_REPORT = re.compile(r"Arena allocation (total|head|tail) (\d+) bytes")
_PROGRAM = """
import sys
from tflite_micro import runtime
interpreter = runtime.Interpreter.from_bytes(sys.stdin.buffer.read(), arena_size=int(sys.argv[1]))
interpreter.print_allocations()
"""


@dataclass(frozen=True)
class ArenaUse:
    """Bytes of the arena in use after allocation, as TFLite Micro's recording allocator reports."""

    total_bytes: int
    head_bytes: int
    tail_bytes: int


def tflm_arena_use(model: ModelFile, arena_bytes: int) -> ArenaUse:
    """Allocate the model in an arena of the given size and read TFLite Micro's account.

    Raises:
        MissingPackageError: the wheel is not installed.
        ModelError: TFLite Micro refuses the model or the arena is too small.
    """
    import_runtime()
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, str(arena_bytes)],
        input=model.content,
        capture_output=True,
        check=False,
    )
    report = done.stderr.decode(errors="replace")
    sizes = {name: int(size) for name, size in _REPORT.findall(report)}
    if done.returncode != 0 or len(sizes) != 3:
        lines = report.strip().splitlines()
        raise ModelError(
            f"TFLite Micro cannot allocate the model in {arena_bytes} bytes: "
            f"{lines[-1] if lines else f'exit code {done.returncode}'}"
        )
    return ArenaUse(sizes["total"], sizes["head"], sizes["tail"])
