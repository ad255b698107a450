"""A function of two quantised operands, broadcast against each other.

For int8 the function is worked out for all 65 536 pairs when the operator is prepared, so that an
invoke pairs the bytes up and gathers. Broadcasting follows NumPy's rule, which is TFLM's
(tensorflow/lite/micro/kernels/internal/reference/process_broadcast_shapes.h).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.node import Invoke, Node, View

BinaryFunction = Callable[[NDArray[Any], NDArray[Any]], NDArray[Any]]


def binary(function: BinaryFunction, node: Node) -> Invoke:
    """y = function(x1, x2) element by element, inputs 0 and 1 broadcast to the output's shape.

    `function` takes two arrays of the inputs' dtype and returns values in the output's range.

    Raises:
        ModelError: the shapes do not broadcast to the output's.
    """
    first, second, y = node.input(0), node.input(1), node.output()
    try:
        shape = np.broadcast_shapes(first.shape, second.shape)
    except ValueError:
        shape = None
    if shape != y.shape:
        raise node.error(
            f"cannot broadcast {first.shape} and {second.shape} to the output's {y.shape}"
        )
    if y.array.dtype == np.int8:
        return _gather_pairs(function, first, second, y)

    def compute() -> None:
        y.array[...] = function(first.array, second.array)

    return compute


def _gather_pairs(function: BinaryFunction, first: View, second: View, y: View) -> Invoke:
    byte = np.arange(256, dtype=np.uint8).view(np.int8)  # bit patterns in order
    table = function(byte[:, np.newaxis], byte[np.newaxis, :]).astype(np.int8).reshape(-1)
    # The index 256 x1 + x2 is put together by writing its two low bytes.
    index = np.zeros(y.shape, "<i8")
    index_bytes = index.view(np.int8).reshape(*y.shape, 8)
    loads = []
    for operand, position in ((first, 1), (second, 0)):
        half = index_bytes[..., position]
        if operand.is_constant:
            half[...] = operand.array
        else:
            loads.append((half, operand.array))
    out = y.array

    def gather() -> None:
        for half, source in loads:
            half[...] = source
        table.take(index, None, out, "clip")

    return gather
