"""Operators as their kernels' prepare steps want them, so that the export shares their arithmetic.

`check_operators` lets the kernels of firmware_ref check a graph. `table_of` and `source_indices`
run the kernel at export: on all 256 values, or on the indices of its input's elements.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ModelError
from firmware_ref.kernels import KERNELS
from firmware_ref.model import Array, Operator, Subgraph, Tensor, TensorType
from firmware_ref.node import Node, View

TABLE_OPERATORS = ("LOGISTIC", "TANH")
"""Functions of one int8 value, exported as tables of their 256 results."""


class _NoRuntime:
    """The exported operators have neither resource variables nor subgraphs to call."""

    @property
    def resources(self) -> dict[int, Array]:
        return {}

    def resource_id(self, container: str, shared_name: str) -> int:
        self._refuse()

    def allocate_resource(self, resource_id: int, tensor: Tensor) -> None:
        self._refuse()

    def invoke_subgraph(self, index: int) -> None:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ModelError("the C export has neither resource variables nor called subgraphs.")


def check_operators(graph: Subgraph) -> None:
    """Let the kernel of every operator check types, shapes and scales.

    Raises:
        ModelError: one of them contradicts itself.
    """
    for operator in graph.operators:
        KERNELS[operator.name].build(operator_node(graph, operator))


def operator_node(graph: Subgraph, operator: Operator) -> Node:
    """The operator with its tensors; what no constant fills is zeros."""
    outputs = []
    for index in operator.outputs:
        tensor = graph.tensors[index]
        outputs.append(View(tensor, np.zeros(tensor.shape, tensor.dtype)))
    inputs = tuple(_view(graph, i) for i in operator.inputs)
    return Node(operator, inputs, tuple(outputs), (), _NoRuntime())


def table_of(graph: Subgraph, operator: Operator) -> NDArray[np.int8]:
    """int8[256]: the results of a function of one int8 value for -128, ..., 127."""
    x, y = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    values = np.arange(-128, 128).astype(np.int8)
    table = np.zeros(256, np.int8)
    views = [View(replace(x, shape=(256,), data=None), values)]
    node = Node(operator, tuple(views), (View(replace(y, shape=(256,)), table),), (), _NoRuntime())
    KERNELS[operator.name].build(node)()
    return table


def source_indices(graph: Subgraph, operator: Operator) -> NDArray[np.int64]:
    """For each element of the output, the flat index of the input element that it copies.

    For operators that only move elements of input 0 (RESHAPE, STRIDED_SLICE, RESIZE): their kernel
    is given 0, 1, 2, ... as float32, exact up to 2^24 elements.
    """
    x, y = graph.tensors[operator.inputs[0]], graph.tensors[operator.outputs[0]]
    if x.elements > 2**24:
        raise ModelError(f"tensor {x.name!r} has {x.elements} elements; the C export takes 2^24.")
    plain_x = replace(x, type=TensorType.FLOAT32, quantization=None, data=None)
    plain_y = replace(y, type=TensorType.FLOAT32, quantization=None)
    indices = np.arange(x.elements, dtype=np.float32).reshape(x.shape)
    moved = np.zeros(y.shape, np.float32)
    views = [View(plain_x, indices), *(_view(graph, i) for i in operator.inputs[1:])]
    node = Node(operator, tuple(views), (View(plain_y, moved),), (), _NoRuntime())
    KERNELS[operator.name].build(node)()
    return moved.astype(np.int64)


def _view(graph: Subgraph, index: int) -> View | None:
    if index < 0:
        return None
    tensor = graph.tensors[index]
    data = tensor.data
    return View(tensor, np.zeros(tensor.shape, tensor.dtype) if data is None else data)
