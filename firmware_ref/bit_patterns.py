"""Equality of tensors as their bits say: equal NaNs are equal, 0.0 and -0.0 are not."""

from __future__ import annotations

import numpy as np

from firmware_ref.model import Array


def first_difference(expected: Array, received: Array) -> tuple[int, ...] | None:
    """Index of the first element, in row-major order, whose bits differ; None where all are equal.

    Args:
        expected: a tensor of any shape, of elements of at most 8 bytes.
        received: one of the same shape and type.
    """
    different = np.argwhere(_bits(expected) != _bits(received))
    return tuple(int(i) for i in different[0]) if len(different) else None


def _bits(tensor: Array) -> Array:
    """The elements as unsigned integers, same shape."""
    words = np.frombuffer(tensor.tobytes(), f"u{tensor.itemsize}")
    return words.reshape(tensor.shape)
