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
    pairs = np.zeros((*y.shape, 2), np.int8)  # little-endian: second operand, first operand
    loads = []
    for operand, slot in ((first, 1), (second, 0)):
        half = pairs[..., slot]
        half[...] = operand.array
        if not operand.is_constant:
            loads.append((half, np.broadcast_to(operand.array, y.shape)))
    index = pairs.reshape(-1).view("<u2")
    out = y.array.reshape(-1)
    if len(loads) != 2:

        def gather() -> None:
            for half, source in loads:
                np.copyto(half, source)
            table.take(index, out=out, mode="clip")

        return gather
    (first_half, first_source), (second_half, second_source) = loads

    def gather_both() -> None:
        np.copyto(first_half, first_source)
        np.copyto(second_half, second_source)
        table.take(index, out=out, mode="clip")

    return gather_both
