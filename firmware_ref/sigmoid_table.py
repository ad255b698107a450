"""logistic and tanh on int16 by table and linear interpolation, as TFLM's int16 kernels do.

Source: sigmoid_table_uint16 in tensorflow/lite/kernels/internal/common.cc,
reference/integer_ops/logistic.h and tanh.h (int16_t overloads).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firmware_ref.fixed_point import Int64Array, wrap_int32

# TFLM's table stores sigmoid(i / 24) * 2^16, of which these 44 entries are rounded up although the
# nearest integer lies below. The table is part of the arithmetic, so the deviation is kept.
_ROUNDED_UP = (
    4, 8, 12, 14, 15, 16, 17, 19, 20, 21, 22, 25, 27, 28, 29, 30, 31, 33, 34, 35, 37, 39, 40, 41,
    43, 44, 45, 46, 49, 50, 54, 62, 63, 64, 66, 82, 86, 93, 100, 103, 112, 116, 135, 255,
)  # fmt: skip


def _sigmoid_table() -> Int64Array:
    steps = np.arange(256)
    table: Int64Array = np.rint(65536.0 / (1.0 + np.exp(-steps / 24.0))).astype(np.int64)
    table[list(_ROUNDED_UP)] += 1
    return table


SIGMOID_TABLE = _sigmoid_table()


def _rescaled(x: ArrayLike, multiplier: int, left_shift: int) -> Int64Array:
    """Bring the input to the table's scale, 3 * 4096 steps per unit."""
    values = np.asarray(x, dtype=np.int64)
    if multiplier == 0:  # a power-of-two scale: only the factor 3 of the table remains
        return wrap_int32(values * (3 << left_shift))
    rounding = 1 << (left_shift - 1) if left_shift > 0 else 0
    return wrap_int32(values * multiplier + rounding) >> left_shift


def _interpolated(magnitude: Int64Array, bits: int) -> Int64Array:
    """The table at magnitude / 2^bits, linearly interpolated, with `bits` extra fractional bits."""
    cell = np.minimum(magnitude >> bits, 254)
    lower, upper = SIGMOID_TABLE[cell], SIGMOID_TABLE[cell + 1]
    interpolated: Int64Array = (lower << bits) + (magnitude & ((1 << bits) - 1)) * (upper - lower)
    return interpolated


def logistic_int16(x: ArrayLike, multiplier: int = 0, left_shift: int = 0) -> NDArray[np.int16]:
    """Q0.15 logistic of int16 x; by default x is Q3.12.

    Args:
        x: int16 values.
        multiplier, left_shift: x * multiplier / 2^left_shift is x in steps of 1 / (3 * 4096);
            multiplier 0 stands for 3 * 2^left_shift.

    Source: reference/integer_ops/logistic.h, int16_t overload.
    """
    scaled = _rescaled(x, multiplier, left_shift)
    magnitude = np.abs(scaled)
    result = np.where(magnitude >> 9 >= 255, 0x7FFF << 10, _interpolated(magnitude, 9))
    result = np.where(scaled >= 0, result + (1 << 9), (1 << 25) - result + (1 << 9) - 1)
    return (result >> 10).astype(np.int16)


def tanh_int16(x: ArrayLike, multiplier: int = 0, left_shift: int = 0) -> NDArray[np.int16]:
    """Q0.15 tanh of int16 x, from the same table: tanh(x) = 2 * sigmoid(2x) - 1.

    Args and source as `logistic_int16`; the file is tanh.h.
    """
    scaled = _rescaled(x, multiplier, left_shift)
    magnitude = np.abs(scaled)
    result = np.where(magnitude >> 8 >= 255, 0xFFFF << 8, _interpolated(magnitude, 8))
    positive = result - (1 << 23) + (1 << 7)
    negative = -result + (1 << 23) + (1 << 7) - 1
    return (np.where(scaled >= 0, positive, negative) >> 8).astype(np.int16)


@lru_cache(maxsize=4)
def logistic_of_all(multiplier: int = 0, left_shift: int = 0) -> NDArray[np.int32]:
    """`logistic_int16` of the 65 536 bit patterns 0, 1, ..., 32767, -32768, ..., -1."""
    return _read_only(logistic_int16(_ALL_INT16, multiplier, left_shift))


@lru_cache(maxsize=4)
def tanh_of_all(multiplier: int = 0, left_shift: int = 0) -> NDArray[np.int32]:
    """`tanh_int16` of the 65 536 bit patterns 0, 1, ..., 32767, -32768, ..., -1."""
    return _read_only(tanh_int16(_ALL_INT16, multiplier, left_shift))


_ALL_INT16 = np.arange(2**16, dtype=np.uint16).view(np.int16)


def _read_only(table: NDArray[np.int16]) -> NDArray[np.int32]:
    wide = table.astype(np.int32)
    wide.flags.writeable = False
    return wide
