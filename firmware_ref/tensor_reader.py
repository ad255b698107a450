"""Reads one tensor of a .tflite file: shape, type, quantisation, constant content."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ModelError
from firmware_ref.flatbuffer import Table
from firmware_ref.model import Array, Quantization, Tensor, TensorType
from firmware_ref.schema import Slot

MAX_RANK = 8
"""TFLite's operators go up to 8 dimensions."""

MAX_TENSOR_BYTES = 2**31 - 1
"""TFLM counts the bytes of a tensor in 32 bits."""


def read_tensor(index: int, table: Table, buffers: list[memoryview]) -> Tensor:
    """Read tensor `index`; ModelError when a field contradicts another."""
    name = table.string(Slot.TENSOR_NAME)
    what = f"{table.what} ({name!r})"
    kind = _type(table, what)
    shape = _shape(table, what)
    buffer_index = table.scalar(Slot.TENSOR_BUFFER, "uint32")
    if buffer_index >= len(buffers) and buffer_index != 0:
        raise ModelError(
            f"{what} names buffer {buffer_index}, but the model has {len(buffers)} buffers."
        )
    content = buffers[buffer_index] if buffers else memoryview(b"")
    is_variable = bool(table.scalar(Slot.TENSOR_IS_VARIABLE, "uint8"))
    if is_variable and len(content) > 0:
        raise ModelError(f"{what} is a variable, yet has the content of a constant.")
    return Tensor(
        index=index,
        name=name,
        shape=shape,
        type=kind,
        quantization=_quantization(table, kind, shape, what),
        data=_data(content, kind, shape, what, table),
        is_variable=is_variable,
        buffer_index=buffer_index,
    )


def _type(table: Table, what: str) -> TensorType:
    number = table.scalar(Slot.TENSOR_TYPE, "int8")
    try:
        return TensorType(number)
    except ValueError as error:
        raise ModelError(
            f"{what} has the element type {number}, which the schema does not know."
        ) from error


def _shape(table: Table, what: str) -> tuple[int, ...]:
    shape = table.integers(Slot.TENSOR_SHAPE)
    if len(shape) > MAX_RANK:
        raise ModelError(f"{what} has {len(shape)} dimensions, expected at most {MAX_RANK}.")
    if any(size < 0 for size in shape):
        raise ModelError(
            f"{what} has the shape {shape}; TFLM needs every dimension fixed. "
            "Convert the model with a static input shape."
        )
    # math.prod works on Python integers, so a hostile shape cannot overflow the product.
    if math.prod(max(size, 1) for size in shape) * 8 > MAX_TENSOR_BYTES:
        raise ModelError(f"{what} has the shape {shape}, which is more than 2 GiB.")
    return shape


def _quantization(
    table: Table, kind: TensorType, shape: tuple[int, ...], what: str
) -> Quantization | None:
    """TFLM takes a tensor as quantised when it has scales and zero points, both not empty."""
    quantization = table.table(Slot.TENSOR_QUANTIZATION, f"the quantisation of {what}")
    if quantization is None:
        return None
    scales = quantization.array(Slot.QUANTIZATION_SCALE, "float32")
    zero_points = quantization.array(Slot.QUANTIZATION_ZERO_POINT, "int64")
    if scales is None or zero_points is None or not scales.size or not zero_points.size:
        return None
    axis = quantization.scalar(Slot.QUANTIZATION_AXIS, "int32")
    if zero_points.size not in (1, scales.size):
        raise ModelError(f"{what} has {scales.size} scales but {zero_points.size} zero points.")
    if scales.size > 1 and (not 0 <= axis < len(shape) or shape[axis] != scales.size):
        raise ModelError(
            f"{what} has {scales.size} scales along axis {axis}, "
            f"which does not fit its shape {shape}."
        )
    # NaN fails both comparisons; NumPy would warn of a signalling one in a damaged file.
    with np.errstate(invalid="ignore"):
        usable = bool(np.all((scales >= 0) & (scales < np.inf)))
    if not usable:
        raise ModelError(f"{what} has a scale that is negative or not a number.")
    _check_zero_points(zero_points, kind, what)
    if zero_points.size != scales.size:
        zero_points = np.full(scales.shape, zero_points[0])
    return Quantization(scales, zero_points.astype(np.int64, copy=False), axis)


_ZERO_POINT_LIMITS = {
    TensorType.INT8: (-128, 127),
    TensorType.UINT8: (0, 255),
    TensorType.INT16: (-32768, 32767),
}


def _check_zero_points(zero_points: NDArray[Any], kind: TensorType, what: str) -> None:
    if kind not in _ZERO_POINT_LIMITS:
        return
    low, high = _ZERO_POINT_LIMITS[kind]
    if zero_points.min() < low or zero_points.max() > high:
        raise ModelError(f"{what} has a zero point outside the range of {kind} ({low} to {high}).")


def _data(
    content: memoryview, kind: TensorType, shape: tuple[int, ...], what: str, table: Table
) -> Array | None:
    """The constant's content, None for an empty buffer (activations and variables)."""
    if len(content) == 0:
        return None
    raw = np.frombuffer(content, np.uint8)
    if table.table(Slot.TENSOR_SPARSITY, f"the sparsity of {what}") is not None:
        raise ModelError(f"{what} is stored sparse, which TFLM's kernels do not read.")
    if not kind.has_dtype:
        return raw
    expected = math.prod(shape) * kind.dtype.itemsize
    if raw.size < expected:
        raise ModelError(
            f"{what} has {raw.size} bytes of content, but its shape {shape} and type {kind} "
            f"need {expected}."
        )
    return raw[:expected].view(kind.dtype).reshape(shape)
