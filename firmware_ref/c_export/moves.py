"""Operators that move bytes: when their output already lies where it should."""

from __future__ import annotations

import math

import numpy as np

from firmware_ref.c_export.nodes import source_indices
from firmware_ref.model import Operator, Subgraph, Tensor

RESHAPES = ("RESHAPE", "SQUEEZE", "EXPAND_DIMS")


def contiguous_offset(graph: Subgraph, operator: Operator) -> int | None:
    """Where in its input, in elements, the output of a RESHAPE or STRIDED_SLICE lies in one piece.

    None when the elements are scattered, or for other operators.
    """
    if operator.name in RESHAPES:
        return 0
    if operator.name != "STRIDED_SLICE":
        return None
    indices = source_indices(graph, operator).reshape(-1)
    if indices.size == 0 or not np.array_equal(indices, indices[0] + np.arange(indices.size)):
        return None
    return int(indices[0])


def leads_by_axis(tensor: Tensor, axis: int) -> bool:
    """Whether parts along `axis` lie one behind the other: all axes before it have length 1."""
    positive = axis + len(tensor.shape) if axis < 0 else axis
    return math.prod(tensor.shape[:positive]) == 1
