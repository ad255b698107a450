"""The real TFLite Micro, as the Python wheel `tflite-micro` brings it, as the oracle of the tests.

`run` gives every tensor of every frame; `run_in_subprocess` does the same for models that may
abort the process; `captured_stderr` catches what TFLM prints.
"""

from __future__ import annotations

import importlib.util
import math
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

AVAILABLE = importlib.util.find_spec("tflite_micro") is not None

needs_oracle = [
    pytest.mark.oracle,
    pytest.mark.skipif(
        not AVAILABLE, reason="the tflite-micro wheel is not installed (Linux x86-64 only)"
    ),
]
"""`pytestmark = needs_oracle` in a test module that compares with TFLM."""

Array = NDArray[Any]
Frame = Sequence[Array]
Tensors = dict[tuple[int, int], Array]
"""(subgraph, tensor index) -> content."""


class OracleError(Exception):
    """TFLM refused the model or failed while running it; the message is what it printed."""


@contextmanager
def captured_stderr() -> Iterator[list[str]]:
    """Catch what C code writes to stderr: one string, appended on leaving the block."""
    text: list[str] = []
    sys.stderr.flush()
    saved = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield text
        finally:
            os.dup2(saved, 2)
            os.close(saved)
            file.seek(0)
            text.append(file.read().decode(errors="replace"))


class Oracle:
    """One TFLM interpreter that keeps every tensor (no memory is shared between tensors)."""

    def __init__(self, content: bytes, arena_bytes: int | None = None) -> None:
        from tflite_micro import runtime

        self._tensors = _activation_tensors(content)
        if arena_bytes is None:
            arena_bytes = 64 * 1024 + 4 * len(content) + sum(self._tensors.values())
        with captured_stderr() as text:
            try:
                self._interpreter = runtime.Interpreter.from_bytes(
                    content,
                    arena_size=arena_bytes,
                    intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
                )
                failure = None
            except RuntimeError as error:
                failure = error
        if failure is not None:
            raise OracleError(f"{failure}\n{text[0]}") from failure

    def invoke(self, frame: Frame) -> Tensors:
        """Set every input, run once, return copies of every activation and variable."""
        with captured_stderr() as text:
            try:
                for index, value in enumerate(frame):
                    self._interpreter.set_input(np.ascontiguousarray(value), index)
                self._interpreter.invoke()
                failure = None
            except RuntimeError as error:
                failure = error
        if failure is not None:
            raise OracleError(f"{failure}\n{text[0]}") from failure
        return {
            (subgraph, tensor): np.array(
                self._interpreter.GetTensor(tensor, subgraph)["tensor_data"]
            )
            for subgraph, tensor in self._tensors
        }

    def output(self, index: int) -> Array:
        """Copy of an output of the last frame."""
        return np.array(self._interpreter.get_output(index))

    def reset(self) -> None:
        """Put variables back to their initial state."""
        self._interpreter.reset()


def _activation_tensors(content: bytes) -> dict[tuple[int, int], int]:
    """(subgraph, tensor) -> bytes of every tensor with memory of its own and no constant data."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as fb

    names = {value: name.lower() for name, value in vars(fb.TensorType).items() if name.isupper()}
    model = fb.Model.GetRootAs(content)
    found = {}
    for s in range(model.SubgraphsLength()):
        subgraph = model.Subgraphs(s)
        used = {subgraph.Inputs(i) for i in range(subgraph.InputsLength())}
        for operator in map(subgraph.Operators, range(subgraph.OperatorsLength())):
            used |= {operator.Inputs(i) for i in range(operator.InputsLength())}
            used |= {operator.Outputs(i) for i in range(operator.OutputsLength())}
        for t in sorted(used - {-1}):
            tensor = subgraph.Tensors(t)
            is_constant = model.Buffers(tensor.Buffer()).DataLength() > 0
            if not is_constant and names[tensor.Type()] != "resource":
                elements = math.prod(tensor.Shape(i) for i in range(tensor.ShapeLength()))
                found[s, t] = elements * np.dtype(names[tensor.Type()]).itemsize
    return found


def run(content: bytes, frames: Sequence[Frame], arena_bytes: int | None = None) -> list[Tensors]:
    """Every activation and variable after each frame; OracleError when TFLM refuses."""
    oracle = Oracle(content, arena_bytes)
    return [oracle.invoke(frame) for frame in frames]


def run_in_subprocess(
    content: bytes, frames: Sequence[Frame], arena_bytes: int | None = None
) -> list[Tensors]:
    """`run` in a process of its own: an abort of TFLM becomes an OracleError."""
    program = (
        "import pickle, sys\n"
        "from oracle import run\n"
        "content, frames, arena_bytes = pickle.load(sys.stdin.buffer)\n"
        "pickle.dump(run(content, frames, arena_bytes), sys.stdout.buffer)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps((content, frames, arena_bytes)),
        cwd=os.path.dirname(os.path.abspath(__file__)),
        capture_output=True,
        timeout=60,
    )
    if done.returncode != 0:
        raise OracleError(f"exit code {done.returncode}\n{done.stderr.decode(errors='replace')}")
    tensors: list[Tensors] = pickle.loads(done.stdout)
    return tensors
