"""A single operator on plain NumPy arrays, without a file, an arena or TFLM."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from firmware_ref.kernels import KERNELS
from firmware_ref.model import Array, Operator, Quantization, Tensor, TensorType
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import Options


def view(
    array: Any,
    dtype: Any = np.int8,
    scale: float | None = 1.0,
    zero_point: int = 0,
    *,
    constant: bool = False,
    variable: bool = False,
) -> View:
    """A tensor and its memory; `scale` None leaves it unquantised."""
    content: Array = np.array(array, dtype)
    quantization = None
    if scale is not None:
        quantization = Quantization(np.array([scale], np.float32), np.array([zero_point]))
    tensor = Tensor(
        index=0,
        name="t",
        shape=content.shape,
        type=TensorType[content.dtype.name.upper()],
        quantization=quantization,
        data=content if constant else None,
        is_variable=variable,
    )
    return View(tensor, content)


class Resources:
    """The part of the runtime that the resource-variable kernels use."""

    def __init__(self) -> None:
        self.resources: dict[int, Array] = {}
        self.invoked: list[int] = []
        self._ids: dict[tuple[str, str], int] = {}

    def resource_id(self, container: str, shared_name: str) -> int:
        return self._ids.setdefault((container, shared_name), len(self._ids))

    def allocate_resource(self, resource_id: int, tensor: Tensor) -> None:
        self.resources.setdefault(resource_id, np.zeros(tensor.bytes, np.uint8))

    def invoke_subgraph(self, index: int) -> None:
        self.invoked.append(index)


def prepared(
    name: str,
    inputs: Sequence[View | None],
    outputs: Sequence[View],
    options: Options | None = None,
    runtime: Resources | None = None,
) -> Invoke:
    """The operator's closure; calling it writes the outputs."""
    node = Node(
        op=Operator(3, name, 1, tuple(range(len(inputs))), (0,), options=options),
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        intermediates=(),
        runtime=runtime or Resources(),
    )
    return KERNELS[name].build(node)


def run(name: str, inputs: Sequence[View], output: View, options: Options | None = None) -> Any:
    """The output, as nested lists, of running the operator once."""
    prepared(name, inputs, [output], options)()
    return output.array.tolist()
