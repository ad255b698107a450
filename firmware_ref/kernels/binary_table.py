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

from firmware_ref.model import Array
from firmware_ref.node import Invoke, Node

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
    # Without dimensions, NumPy would compute with scalars, which take no `out` and no `view`.
    first_q, second_q, out = (np.atleast_1d(view.array) for view in (first, second, y))
    if out.dtype == np.int8:
        operands = ((first_q, first.is_constant), (second_q, second.is_constant))
        return _gather_pairs(function, operands, out)

    def compute() -> None:
        out[...] = function(first_q, second_q)

    return compute


def _gather_pairs(
    function: BinaryFunction, operands: tuple[tuple[Array, bool], tuple[Array, bool]], out: Array
) -> Invoke:
    """`operands`: the two arrays, each with whether it is a constant."""
    byte = np.arange(256, dtype=np.uint8).view(np.int8)  # bit patterns in order
    table = function(byte[:, np.newaxis], byte[np.newaxis, :]).astype(np.int8).reshape(-1)
    # The index 256 x1 + x2 is put together by writing its two low bytes.
    index = np.zeros(out.shape, "<i8")
    index_bytes = index.view(np.int8).reshape(*out.shape, 8)
    loads = []
    for (operand, is_constant), position in zip(operands, (1, 0), strict=True):
        half = index_bytes[..., position]
        if is_constant:
            half[...] = operand
        else:
            loads.append((half, operand))

    def gather() -> None:
        for half, source in loads:
            half[...] = source
        table.take(index, None, out, "clip")

    return gather
