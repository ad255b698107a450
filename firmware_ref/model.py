"""The intermediate representation of a .tflite file: typed, immutable, free of flatbuffers.

`reader.read_model` makes it, everything else (kernels, arena planner, C emitter) consumes it.
Names follow tensorflow/compiler/mlir/lite/schema/schema.fbs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ModelError
from firmware_ref.options import Options

Array = NDArray[Any]


class TensorType(Enum):
    """Element types of the schema (schema.fbs: `TensorType`); the value is the schema's number."""

    FLOAT32 = 0
    FLOAT16 = 1
    INT32 = 2
    UINT8 = 3
    INT64 = 4
    STRING = 5
    BOOL = 6
    INT16 = 7
    COMPLEX64 = 8
    INT8 = 9
    FLOAT64 = 10
    COMPLEX128 = 11
    UINT64 = 12
    RESOURCE = 13
    VARIANT = 14
    UINT32 = 15
    UINT16 = 16
    INT4 = 17
    BFLOAT16 = 18
    INT2 = 19
    UINT4 = 20
    FLOAT8_E4M3FN = 21
    FLOAT8_E5M2 = 22

    @property
    def has_dtype(self) -> bool:
        """Whether NumPy has the type; if not, a constant's content stays raw bytes."""
        return self in _DTYPES

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy type, little-endian as on the chips; ModelError for types that NumPy lacks."""
        if self not in _DTYPES:
            raise ModelError(
                f"tensors of type {self.name} cannot be computed with. "
                f"Expected one of {', '.join(t.name for t in _DTYPES)}."
            )
        return _DTYPES[self]

    def __str__(self) -> str:
        return self.name.lower()


# RESOURCE: TFLM stores the 32-bit id of the variable in the handle tensor.
_DTYPES: dict[TensorType, np.dtype[Any]] = {
    TensorType.FLOAT32: np.dtype("<f4"),
    TensorType.FLOAT16: np.dtype("<f2"),
    TensorType.INT32: np.dtype("<i4"),
    TensorType.UINT8: np.dtype("u1"),
    TensorType.INT64: np.dtype("<i8"),
    TensorType.BOOL: np.dtype("?"),
    TensorType.INT16: np.dtype("<i2"),
    TensorType.INT8: np.dtype("i1"),
    TensorType.FLOAT64: np.dtype("<f8"),
    TensorType.UINT64: np.dtype("<u8"),
    TensorType.RESOURCE: np.dtype("<i4"),
    TensorType.UINT32: np.dtype("<u4"),
    TensorType.UINT16: np.dtype("<u2"),
}


@dataclass(frozen=True, eq=False)
class Quantization:
    """Affine quantisation: real = scale * (q - zero_point), per tensor or along `axis`.

    `scales` is float32[n], `zero_points` int64[n] (read-only); n = 1 means per tensor.
    """

    scales: NDArray[np.float32]
    zero_points: NDArray[np.int64]
    axis: int = 0


@dataclass(frozen=True, eq=False)
class Tensor:
    """One tensor of a subgraph.

    `data` is the constant's content, read-only, with `shape` and the type's dtype; None for
    activations and variables. Types that NumPy lacks (INT4, STRING) keep their raw bytes, flat.
    """

    index: int
    name: str
    shape: tuple[int, ...]
    type: TensorType
    quantization: Quantization | None = None
    data: Array | None = None
    is_variable: bool = False
    buffer_index: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy element type."""
        return self.type.dtype

    @property
    def elements(self) -> int:
        """Number of elements: the product of the shape, 1 for a scalar."""
        return math.prod(self.shape)

    @property
    def bytes(self) -> int:
        """Size of the content in bytes, as TFLM counts it."""
        if self.type is TensorType.INT4:
            return (self.elements + 1) // 2
        return self.elements * self.dtype.itemsize

    @property
    def is_constant(self) -> bool:
        """Whether the content comes from the file."""
        return self.data is not None

    @property
    def scale(self) -> np.float32:
        """The per-tensor scale; 0 for a tensor without quantisation (as in TFLM's params)."""
        return np.float32(0) if self.quantization is None else self.quantization.scales[0]

    @property
    def zero_point(self) -> int:
        """The per-tensor zero point; 0 for a tensor without quantisation (as in TFLM's params)."""
        return 0 if self.quantization is None else int(self.quantization.zero_points[0])


@dataclass(frozen=True, eq=False)
class Operator:
    """One operator: `inputs` and `outputs` are tensor indices, -1 in `inputs` for an omitted one.

    `name` is the schema's `BuiltinOperator` name ("CONV_2D"), or "CUSTOM:<code>" for a custom op.
    """

    index: int
    name: str
    version: int
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    intermediates: tuple[int, ...] = ()
    options: Options | None = None
    custom_options: bytes = b""


@dataclass(frozen=True, eq=False)
class Subgraph:
    """A list of operators in execution order, over a list of tensors."""

    index: int
    name: str
    tensors: tuple[Tensor, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    operators: tuple[Operator, ...]


@dataclass(frozen=True)
class Signature:
    """A signature definition: names of inputs and outputs -> tensor indices of `subgraph_index`."""

    key: str
    subgraph_index: int
    inputs: Mapping[str, int]
    outputs: Mapping[str, int]


@dataclass(frozen=True, eq=False)
class Model:
    """A whole .tflite file; `subgraphs[0]` is the main one.

    `content_bytes` is the size of the file, that is, the flash that the model takes.
    `metadata` maps names (such as "OfflineMemoryAllocation") to raw content.
    """

    version: int
    description: str
    subgraphs: tuple[Subgraph, ...]
    metadata: Mapping[str, bytes] = field(default_factory=dict)
    signatures: tuple[Signature, ...] = ()
    content_bytes: int = 0
