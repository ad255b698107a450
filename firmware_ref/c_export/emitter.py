"""Collects what the operators contribute to the C files: constants, parameters, calls."""

from __future__ import annotations

from typing import Any

from numpy.typing import NDArray

from firmware_ref.c_export.c_text import array_text, call_text, struct_text
from firmware_ref.c_export.steps import Step
from firmware_ref.c_export.storage import Room, Storage
from firmware_ref.errors import ModelError
from firmware_ref.model import Subgraph, TensorType


class Emitter:
    """The growing program of one model.

    Attributes:
        graph: the model's main subgraph.
        storage: where its tensors lie.
        constants: symbol -> (C type with dimensions, definition) for weights.c.
        parameters: definitions of structs for model.c.
        calls: statements of `tfkd_step`, in order.
    """

    def __init__(self, graph: Subgraph, storage: Storage) -> None:
        self.graph = graph
        self.storage = storage
        self.constants: dict[str, tuple[str, str]] = {}
        self.parameters: list[str] = []
        self.calls: list[str] = []

    def place(self, index: int, advance: int = 0) -> str:
        """The C expression that points to a tensor, or `advance` bytes behind its beginning."""
        place = self.storage.places[index]
        block, offset = place.block, place.offset + advance
        base = block.room.value
        if block.room is Room.CONSTANT:
            base = self._constant_tensor(block.tensors[0])
        elif block.room is Room.STATE:
            base = f"state->{state_field(block.position)}"
        elif block.room is Room.WORK:
            offset += block.offset
        return f"{base} + {offset}" if offset else base

    def patch(self, step: Step) -> str:
        """The C expression that points to a convolution's patch, or NULL where it needs none."""
        block = self.storage.patches.get(step.operator.index)
        if block is None:
            return "NULL"
        return f"work + {block.offset}" if block.offset else "work"

    def lies_in_place(self, index: int, source: int, offset: int) -> bool:
        """Whether tensor `index` already is the part of tensor `source` that begins at `offset`."""
        mine, other = self.storage.places[index], self.storage.places[source]
        return mine.block is other.block and mine.offset == other.offset + offset

    def constant(self, step: Step, name: str, c_type: str, values: NDArray[Any]) -> str:
        """Define a constant array of a step, flat, and return its symbol."""
        return self._constant(f"tfkd_{step.operator.index}_{name}", c_type, values)

    def parameter(self, step: Step, c_type: str, fields: dict[str, str], part: str = "") -> str:
        """Define a parameter struct of a step (or of one part of it), and return its address."""
        symbol = f"step_{step.operator.index}{part}"
        self.parameters.append(struct_text(c_type, symbol, fields))
        return f"&{symbol}"

    def call(self, function: str, *arguments: str | int) -> None:
        """Add a call."""
        self.calls.append(call_text(function, map(str, arguments)))

    def _constant_tensor(self, index: int) -> str:
        tensor = self.graph.tensors[index]
        if tensor.data is None or tensor.type is not TensorType.INT8:
            raise ModelError(f"the C export reads int8 constants, but {tensor.name!r} is none.")
        return self._constant(f"tfkd_tensor_{index}", "int8_t", tensor.data)

    def _constant(self, symbol: str, c_type: str, values: NDArray[Any]) -> str:
        aligned = " TFKD_ALIGNED" if c_type == "int16_t" else ""
        declaration = f"const {c_type} {symbol}[{values.size}]{aligned}"
        self.constants[symbol] = (declaration, array_text(declaration, values.reshape(-1)))
        return symbol


def state_field(position: int) -> str:
    """The name of a state's field in `tfkd_state`."""
    return f"state_{position}"
