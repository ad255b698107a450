"""The tensor arena as one block of bytes, and the tensors' views into it.

Two tensors whose lifetimes do not meet share bytes, exactly where TFLM's planner puts them: a
wrong plan or a kernel that writes too early corrupts results here as it does on the chip.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ModelError
from firmware_ref.model import Array, Model, Tensor, TensorType
from firmware_ref.node import View

ALIGNMENT_BYTES = 16

MAX_ARENA_BYTES = 2**30
"""No microcontroller comes near; a damaged model must not take the machine's memory."""


class Memory:
    """Arena of `size_bytes`, and a `View` for every tensor of every subgraph.

    Args:
        model: the model.
        size_bytes: size of the arena.
        offsets: (subgraph, tensor) -> byte offset in the arena, for every tensor that lives there.

    Raises:
        ModelError: the arena would be larger than any chip's memory.
    """

    def __init__(
        self, model: Model, size_bytes: int, offsets: Mapping[tuple[int, int], int]
    ) -> None:
        if size_bytes > MAX_ARENA_BYTES:
            raise ModelError(
                f"the model needs an arena of {size_bytes} bytes; "
                f"firmware_ref allocates at most {MAX_ARENA_BYTES}."
            )
        self.arena = _aligned_zeros(size_bytes)
        self.views: tuple[tuple[View, ...], ...] = tuple(
            tuple(
                View(tensor, self._place(tensor, offsets.get((subgraph.index, tensor.index))))
                for tensor in subgraph.tensors
            )
            for subgraph in model.subgraphs
        )

    def block(self, offset: int, size_bytes: int) -> NDArray[np.uint8]:
        """`size_bytes` of the arena from `offset`, flat and writeable."""
        return self.arena[offset : offset + size_bytes]

    def _place(self, tensor: Tensor, offset: int | None) -> Array:
        if tensor.data is not None:
            return tensor.data
        if not tensor.type.has_dtype:
            # Only an unsupported operator can use it, and that is reported by name later.
            return np.zeros(0, np.uint8)
        if offset is None:
            if tensor.elements and tensor.type is not TensorType.RESOURCE:
                raise ModelError(
                    f"tensor {tensor.index} ({tensor.name!r}) has no place in the arena plan."
                )
            # A resource handle keeps its id in the kernel's own data, outside the plan.
            return np.zeros(tensor.shape, tensor.dtype)
        return self.block(offset, tensor.bytes).view(tensor.dtype).reshape(tensor.shape)


def _aligned_zeros(size_bytes: int) -> NDArray[np.uint8]:
    """Zeroed bytes whose first address is a multiple of 16, as TFLM asks of its arena."""
    raw = np.zeros(size_bytes + ALIGNMENT_BYTES - 1, np.uint8)
    skip = -raw.ctypes.data % ALIGNMENT_BYTES
    return raw[skip : skip + size_bytes]
