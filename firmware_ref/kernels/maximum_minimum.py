"""MAXIMUM and MINIMUM: the greater or the smaller of two numbers, as they stand in the tensors.

No scale or zero point plays a part, in TFLM as here: the result means something only where both
inputs and the output are quantised alike, as TensorFlow's converter makes them.

Source: tensorflow/lite/kernels/internal/reference/maximum_minimum.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.kernels.binary_table import binary
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node

MAX_RANK = 5
"""N of MaximumMinimumBroadcastSlow."""


def prepare_maximum(node: Node) -> Invoke:
    """y = x1 if x1 > x2, else x2."""
    _check_rank(node)

    def greater(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
        return np.where(one > two, one, two)  # not np.maximum: it hands on every NaN

    return binary(greater, node)


def prepare_minimum(node: Node) -> Invoke:
    """y = x1 if x1 < x2, else x2."""
    _check_rank(node)

    def smaller(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
        return np.where(one < two, one, two)

    return binary(smaller, node)


def _check_rank(node: Node) -> None:
    rank = len(node.output().shape)
    if rank > MAX_RANK:
        raise node.error(f"compares {rank} dimensions; TFLM takes at most {MAX_RANK}")


_SIGNATURES = tuple(f"{kind}, {kind} -> {kind}" for kind in ("int8", "int16", "int32", "float32"))
_REFERENCE = "tensorflow/lite/kernels/internal/reference/maximum_minimum.h"
_NOTES = f"at most {MAX_RANK} dimensions"

KERNELS = {
    "MAXIMUM": Kernel(prepare_maximum, _SIGNATURES, _REFERENCE, _NOTES),
    "MINIMUM": Kernel(prepare_minimum, _SIGNATURES, _REFERENCE, _NOTES),
}
