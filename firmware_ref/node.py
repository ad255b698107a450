"""What a kernel sees of its operator: typed options, tensors, and NumPy views into the arena."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np

from firmware_ref.errors import ModelError
from firmware_ref.model import Array, Operator, Tensor, TensorType
from firmware_ref.options import Options

OptionsT = TypeVar("OptionsT", bound=Options)


@dataclass(frozen=True, eq=False)
class View:
    """A tensor together with the memory it lives in.

    `array` has the tensor's shape and dtype and is C-contiguous. For an activation or variable it
    is a writeable view into the arena, valid for the whole life of the interpreter; for a constant
    it is the read-only content of the file, so a prepare step may fold it.
    """

    tensor: Tensor
    array: Array

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the tensor."""
        return self.tensor.shape

    @property
    def type(self) -> TensorType:
        """Element type of the tensor."""
        return self.tensor.type

    @property
    def scale(self) -> np.float32:
        """Per-tensor scale, float32 as in the file (0 when not quantised)."""
        return self.tensor.scale

    @property
    def zero_point(self) -> int:
        """Per-tensor zero point (0 when not quantised)."""
        return self.tensor.zero_point

    @property
    def is_constant(self) -> bool:
        """Whether the content comes from the file and never changes."""
        return self.tensor.is_constant


class Runtime(Protocol):
    """What an operator may ask of the interpreter that runs it."""

    @property
    def resources(self) -> dict[int, Array]:
        """Resource variables: id -> flat uint8 view of the variable's memory in the arena."""

    def resource_id(self, container: str, shared_name: str) -> int:
        """The id of the variable of that name, the same for every handle to it."""

    def allocate_resource(self, resource_id: int, tensor: Tensor) -> None:
        """Give the variable memory for `tensor`, at its first use, initialised to its zero point
        (micro_resource_variable.cc: `Allocate`); later calls check that the size is the same."""

    def invoke_subgraph(self, index: int) -> None:
        """Run every operator of a subgraph, in order."""


@dataclass(frozen=True, eq=False)
class Node:
    """One operator, ready to be prepared.

    `inputs` holds None for an omitted optional tensor. `intermediates` are tensors that carry
    quantisation only (LSTM). Work arrays are the kernel's own NumPy arrays, made in prepare: the
    arena's scratch areas are reserved by the plan and stay untouched.
    """

    op: Operator
    inputs: tuple[View | None, ...]
    outputs: tuple[View, ...]
    intermediates: tuple[Tensor, ...]
    runtime: Runtime

    def options(self, kind: type[OptionsT]) -> OptionsT:
        """The builtin options, of type `kind`; the schema's defaults when the file has none."""
        if self.op.options is None:
            return kind()
        if not isinstance(self.op.options, kind):
            raise self.error(
                f"carries options of type {type(self.op.options).__name__}, "
                f"expected {kind.__name__}"
            )
        return self.op.options

    def input(self, position: int) -> View:
        """A required input; ModelError when the file omits it."""
        view = self.optional_input(position)
        if view is None:
            raise self.error(f"lacks its required input {position}")
        return view

    def optional_input(self, position: int) -> View | None:
        """An input, or None when the file omits it."""
        return self.inputs[position] if position < len(self.inputs) else None

    def constant(self, position: int) -> Array:
        """The content of an input that has to be a constant of the file."""
        view = self.input(position)
        if not view.is_constant:
            raise self.error(f"input {position} ({view.tensor.name!r}) has to be a constant")
        return view.array

    def constant_integers(self, position: int) -> list[int]:
        """The elements of a constant int32 input, flat: axes, sizes, bounds."""
        values = self.constant(position)
        if values.dtype != np.int32:
            raise self.error(f"needs int32 values in input {position}, received {values.dtype}")
        integers: list[int] = values.reshape(-1).tolist()
        return integers

    def output(self, position: int = 0) -> View:
        """An output; ModelError when the file lacks it."""
        if position >= len(self.outputs):
            raise self.error(f"lacks its output {position}")
        return self.outputs[position]

    def error(self, problem: str) -> ModelError:
        """A ModelError that names this operator: `raise node.error("has no ...")`."""
        return ModelError(f"operator {self.op.index} ({self.op.name}) {problem}.")


Invoke = Callable[[], Any]
Prepare = Callable[[Node], Invoke]
