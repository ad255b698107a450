"""A function of one 8- or 16-bit variable as a table of all its results."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.kernels.quantized import require_same_size
from firmware_ref.node import Invoke, Node

Elementwise = Callable[[NDArray[Any]], NDArray[Any]]

_BIT_PATTERNS: dict[str, type[np.unsignedinteger[Any]]] = {"int8": np.uint8, "int16": np.uint16}


def elementwise(node: Node, function: Elementwise) -> Invoke:
    """output = function(input 0), element by element.

    An int8 or int16 `function` is worked out for all 256 or 65 536 inputs now, so that an invoke
    is one gather; the table is addressed by the bit pattern (0, 1, ..., 127, -128, ..., -1). Other
    types call `function` with a flat array at each invoke.

    Raises:
        ModelError: input and output differ in size.
    """
    x, y = node.input(0), node.output()
    require_same_size(node, x, y)
    source, out = x.array.reshape(-1), y.array.reshape(-1)
    pattern = _BIT_PATTERNS.get(x.array.dtype.name)
    if pattern is None:

        def compute() -> None:
            out[:] = function(source)

        return compute
    inputs = np.arange(np.iinfo(pattern).max + 1, dtype=pattern).view(x.array.dtype)
    table = function(inputs).astype(out.dtype)
    index = source.view(pattern)

    def gather() -> None:
        table.take(index, None, out, "clip")

    return gather
