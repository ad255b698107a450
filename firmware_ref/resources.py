"""Resource variables: state that VAR_HANDLE, READ_VARIABLE and ASSIGN_VARIABLE share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ModelError
from firmware_ref.model import Array, Tensor


class Resources:
    """The variables of one interpreter (micro_resource_variable.cc: `MicroResourceVariables`).

    `blocks` maps a variable's id to its memory, flat bytes.
    """

    def __init__(self) -> None:
        self.blocks: dict[int, Array] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._initial_bytes: dict[int, int] = {}

    def identify(self, container: str, shared_name: str) -> int:
        """The id of the variable, the next free one at its first mention."""
        return self._ids.setdefault((container, shared_name), len(self._ids))

    def name(self, resource_id: int) -> tuple[str, str]:
        """Container and shared name of the variable."""
        for name, known in self._ids.items():
            if known == resource_id:
                return name
        raise ModelError(f"a handle names resource variable {resource_id}, which does not exist.")

    def allocate(self, resource_id: int, tensor: Tensor, block: NDArray[np.uint8]) -> None:
        """Give the variable its memory at its first use; `block` is its place in the arena."""
        held = self.blocks.get(resource_id)
        if held is None:
            self.blocks[resource_id] = block
            self._initial_bytes[resource_id] = tensor.zero_point & 0xFF
        elif held.size != tensor.bytes:
            raise ModelError(
                f"resource variable {resource_id} holds {held.size} bytes, "
                f"but tensor {tensor.index} ({tensor.name!r}) has {tensor.bytes}."
            )

    def reset(self) -> None:
        """Fill every variable with the low byte of its zero point (`ResetAll` uses memset)."""
        for resource_id, block in self.blocks.items():
            block[...] = self._initial_bytes[resource_id]
