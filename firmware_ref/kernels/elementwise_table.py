"""An int8 function of one variable as a table of 256 results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.kernels.quantized import require_same_size
from firmware_ref.node import Invoke, Node

Elementwise = Callable[[NDArray[Any]], NDArray[Any]]


def elementwise(node: Node, function: Elementwise) -> Invoke:
    """output = function(input 0), element by element.

    An int8 `function` is worked out for all 256 inputs now, so invoke is one gather; the table is
    addressed by the byte's bit pattern (0, 1, ..., 127, -128, ..., -1). Other types call `function`
    with a flat array at each invoke.

    Raises:
        ModelError: input and output differ in size.
    """
    x, y = node.input(0), node.output()
    require_same_size(node, x, y)
    out = y.array.reshape(-1)
    if x.array.dtype == np.int8:
        table = function(np.arange(256, dtype=np.uint8).view(np.int8)).astype(out.dtype)
        index = x.array.reshape(-1).view(np.uint8)

        def gather() -> None:
            table.take(index, None, out, "clip")

        return gather
    source = x.array.reshape(-1)

    def compute() -> None:
        out[:] = function(source)

    return compute
