"""docs/supported-ops.md is what the table of kernels says, and the table says what runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from model_builder import ModelBuilder
from oracle import needs_oracle

from firmware_ref.errors import UnsupportedOpError
from firmware_ref.interpreter import Interpreter
from firmware_ref.kernels import KERNELS
from firmware_ref.schema import BUILTIN_OPERATORS

ROOT = Path(__file__).parents[2]


def test_the_page_is_current():
    done = subprocess.run(
        [sys.executable, "scripts/supported_ops.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "| CONV_2D | `int8, int8 -> int8`" in (ROOT / "docs/supported-ops.md").read_text()


def test_every_kernel_is_an_operator_with_a_source():
    assert set(KERNELS) <= set(BUILTIN_OPERATORS)
    for name, kernel in KERNELS.items():
        assert kernel.signatures and kernel.reference.startswith("tensorflow/lite/"), name


@needs_oracle[0]
@needs_oracle[1]
def test_foreign_operators_and_types_are_named():
    def content(operator: str, dtype: type) -> bytes:
        model = ModelBuilder()
        graph = model.subgraph()
        x, y = (graph.tensor((1, 4), dtype, scale=0.1) for _ in range(2))
        graph.operator(operator, [x], [y])
        return model.build([x], [y])

    with pytest.raises(
        UnsupportedOpError, match=r"operator 0 \(FLOOR\) is not .*: ABS, ADD, "
    ) as e:
        Interpreter(model_content=content("FLOOR", np.int8))
    assert (e.value.op, e.value.index) == ("FLOOR", 0)
    interpreter = Interpreter(model_content=content("LOGISTIC", np.int32))
    with pytest.raises(UnsupportedOpError, match="types `int32 -> int32`.*int8 -> int8"):
        interpreter.allocate_tensors()
