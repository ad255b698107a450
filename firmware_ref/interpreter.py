"""Runs a .tflite model as TFLite Micro runs it: same bits, same arena, same clobbered inputs."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter_ns
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from firmware_ref.arena import ArenaPlan, plan_arena
from firmware_ref.arena.buffers import align_up
from firmware_ref.errors import ArenaError, ModelError, TensorError, UnsupportedOpError
from firmware_ref.kernels import KERNELS
from firmware_ref.memory import Memory
from firmware_ref.model import Array, Model, Operator, Tensor
from firmware_ref.node import Node, View
from firmware_ref.observe import Observer, OperatorRun
from firmware_ref.reader import read_model
from firmware_ref.resources import Resources

Step = Callable[[], Any]


class Interpreter:
    """A bit-exact TFLite Micro, with the conventions of `tf.lite.Interpreter`.

    As on the chip, the arena reuses the memory of a graph input after its last reader: set every
    input before every `invoke`. Intermediate tensors survive only until something overwrites
    them; `observe` sees each one at the moment it is written.

    Args:
        model_path: path of a .tflite file; give this or `model_content`.
        model_content: content of a .tflite file.
        arena_size: bytes of the arena; None takes the smallest that works.
        abi: whose struct sizes the arena plan counts: "cortex-m" or "x86_64-wheel".

    Raises:
        ModelError: the file is damaged (UnsupportedOpError: or asks for an operator that
            firmware_ref lacks).
        ArenaError: `arena_size` is too small (raised by `allocate_tensors`).

    Example:
        >>> interpreter = Interpreter(model_path="tests/firmware_ref/models/cnn.tflite")
        >>> interpreter.allocate_tensors()
        >>> frame = interpreter.get_input_details()[0]
        >>> interpreter.set_tensor(frame["index"], np.zeros(frame["shape"], frame["dtype"]))
        >>> interpreter.invoke()
        >>> scores_q = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    """

    def __init__(
        self,
        model_path: str | os.PathLike[str] | None = None,
        model_content: bytes | None = None,
        arena_size: int | None = None,
        *,
        abi: str = "cortex-m",
    ) -> None:
        if (model_path is None) == (model_content is None):
            raise TypeError("give either `model_path` or `model_content`, and not both.")
        source = model_path if model_content is None else bytes(model_content)
        if source is None:  # unreachable after the check above; narrows the type
            raise TypeError("`model_path` is None.")
        self.model: Model = read_model(source)
        _check_operators(self.model)
        self.plan: ArenaPlan = plan_arena(self.model, abi=abi)
        self._arena_size = arena_size
        self._observers: list[Observer] = []
        self._memory: Memory | None = None
        self._views: tuple[View, ...] = ()
        self._resources = Resources()
        self._nodes: list[list[Node]] = []
        self._steps: list[list[Step]] = []

    def allocate_tensors(self) -> None:
        """Lay the tensors out in the arena, prepare every operator, reset the variables."""
        needed = self.plan.min_bytes
        given = needed if self._arena_size is None else self._arena_size
        if given < needed:
            raise ArenaError(needed, given)
        # The plan measures the tail from an arena's end that is a multiple of 16.
        size_bytes = align_up(max(needed, self.plan.total_bytes))
        offsets = dict(self.plan.tensor_offsets)
        for key, distance in self.plan.variable_tensors.items():
            offsets[key] = size_bytes - distance
        memory = Memory(self.model, size_bytes, offsets)
        self._memory = memory
        self._views = memory.views[0]
        self._resources = Resources()
        self._nodes = [
            [self._node(subgraph.index, operator, memory) for operator in subgraph.operators]
            for subgraph in self.model.subgraphs
        ]
        self._steps = [
            [KERNELS[node.op.name].build(node) for node in nodes] for nodes in self._nodes
        ]
        self.reset()

    def get_input_details(self) -> list[dict[str, Any]]:
        """One dict per graph input: name, index, shape, dtype, quantization and its arrays."""
        return self._details(self.model.subgraphs[0].inputs)

    def get_output_details(self) -> list[dict[str, Any]]:
        """One dict per graph output, as `get_input_details`."""
        return self._details(self.model.subgraphs[0].outputs)

    def get_tensor_details(self) -> list[dict[str, Any]]:
        """One dict per tensor of the main subgraph, as `get_input_details`."""
        return self._details(tuple(range(len(self.model.subgraphs[0].tensors))))

    def set_tensor(self, tensor_index: int, value: ArrayLike) -> None:
        """Copy `value` into a tensor; its shape and dtype must be the tensor's."""
        view = self._view(tensor_index)
        array, target = np.asarray(value), view.array
        if not target.flags.writeable:
            raise TensorError(f"tensor {tensor_index} ({view.tensor.name!r}) is a constant.")
        if array.dtype != target.dtype or array.shape != target.shape:
            raise TensorError(
                f"tensor {tensor_index} ({view.tensor.name!r}) expects {target.dtype} of "
                f"shape {target.shape}, received {array.dtype} of shape {array.shape}."
            )
        target[...] = array

    def get_tensor(self, tensor_index: int) -> NDArray[Any]:
        """A copy of what the tensor's place in the arena holds now."""
        return self._view(tensor_index).array.copy()

    def tensor_view(self, tensor_index: int) -> NDArray[Any]:
        """The tensor's memory itself, without a copy: for loops that run many frames."""
        return self._view(tensor_index).array

    def invoke(self) -> None:
        """Run the main subgraph once."""
        if not self._steps:
            raise TensorError("call allocate_tensors() first.")
        self._run(0)

    def reset(self) -> None:
        """Set every variable to its initial state, as `MicroInterpreter::Reset` does.

        TFLM fills bytes: int8 variables with their zero point, all other types with 0; resource
        variables with the low byte of their zero point.
        """
        if self._memory is None:
            raise TensorError("call allocate_tensors() first.")
        for views in self._memory.views:
            for view in views:
                if view.tensor.is_variable:
                    view.array[...] = view.zero_point if view.array.dtype == np.int8 else 0
        self._resources.reset()

    def observe(self, observer: Observer) -> None:
        """Call `observer` after every operator: for profiles and tensor dumps."""
        self._observers.append(observer)

    @property
    def arena(self) -> NDArray[np.uint8]:
        """The bytes of the arena."""
        if self._memory is None:
            raise TensorError("call allocate_tensors() first.")
        return self._memory.arena

    # What kernels may ask for: the protocol `node.Runtime`.

    @property
    def resources(self) -> dict[int, Array]:
        """Resource variables by id."""
        return self._resources.blocks

    def resource_id(self, container: str, shared_name: str) -> int:
        """The id of a resource variable, given out in the order of first use."""
        return self._resources.identify(container, shared_name)

    def allocate_resource(self, resource_id: int, tensor: Tensor) -> None:
        """Memory for a resource variable, at the place that the plan gives it."""
        if self._memory is None:
            raise TensorError("call allocate_tensors() first.")
        distance = self.plan.resource_variables[self._resources.name(resource_id)]
        offset = self._memory.arena.size - distance
        block = self._memory.block(offset, tensor.bytes)
        self._resources.allocate(resource_id, tensor, block)

    def invoke_subgraph(self, index: int) -> None:
        """Run a subgraph for an operator such as CALL_ONCE."""
        if not 0 < index < len(self._nodes):
            raise ModelError(
                f"an operator calls subgraph {index}; expected 1 to {len(self._nodes) - 1}."
            )
        self._run(index)

    def _run(self, subgraph_index: int) -> None:
        if self._observers:
            self._run_observed(subgraph_index)
            return
        for step in self._steps[subgraph_index]:
            step()

    def _run_observed(self, subgraph_index: int) -> None:
        nodes = self._nodes[subgraph_index]
        for node, step in zip(nodes, self._steps[subgraph_index], strict=True):
            start_ns = perf_counter_ns()
            step()
            elapsed_ns = perf_counter_ns() - start_ns
            run = OperatorRun(subgraph_index, node.op, node.inputs, node.outputs, elapsed_ns)
            for observer in self._observers:
                observer(run)

    def _node(self, subgraph_index: int, operator: Operator, memory: Memory) -> Node:
        views = memory.views[subgraph_index]
        tensors = self.model.subgraphs[subgraph_index].tensors
        return Node(
            op=operator,
            inputs=tuple(None if i < 0 else views[i] for i in operator.inputs),
            outputs=tuple(views[i] for i in operator.outputs),
            intermediates=tuple(tensors[i] for i in operator.intermediates),
            runtime=self,
        )

    def _view(self, tensor_index: int) -> View:
        views = self._views
        if 0 <= tensor_index < len(views):
            return views[tensor_index]
        if self._memory is None:
            raise TensorError("call allocate_tensors() first.")
        raise TensorError(f"there is no tensor {tensor_index}; expected 0 to {len(views) - 1}.")

    def _details(self, indices: tuple[int, ...]) -> list[dict[str, Any]]:
        tensors = self.model.subgraphs[0].tensors
        return [_detail(tensors[i]) for i in indices]


def _detail(tensor: Tensor) -> dict[str, Any]:
    """The keys of tf.lite.Interpreter.get_input_details."""
    quantization = tensor.quantization
    return {
        "name": tensor.name,
        "index": tensor.index,
        "shape": np.array(tensor.shape, np.int32),
        "shape_signature": np.array(tensor.shape, np.int32),
        "dtype": tensor.dtype.type if tensor.type.has_dtype else np.uint8,
        "quantization": (float(tensor.scale), tensor.zero_point),
        "quantization_parameters": {
            "scales": np.zeros(0, np.float32) if quantization is None else quantization.scales,
            "zero_points": np.zeros(0, np.int64)
            if quantization is None
            else quantization.zero_points,
            "quantized_dimension": 0 if quantization is None else quantization.axis,
        },
        "sparsity_parameters": {},
    }


def _check_operators(model: Model) -> None:
    for subgraph in model.subgraphs:
        for operator in subgraph.operators:
            if operator.name not in KERNELS:
                raise UnsupportedOpError(operator.name, operator.index, sorted(KERNELS))
