"""Replays, in order, every allocation that TFLM makes for a model.

 1. The allocator objects; with resource variables their table; the builtin data allocator.
 2. In the head, room for 12 scratch requests.
 3. One SubgraphAllocations array; per subgraph a TfLiteEvalTensor of *every* tensor, weights
    included; per subgraph a NodeAndRegistration of every operator.
 4. Per operator: builtin parameters.
 5. Per operator: the kernel's Init, its data.
 6. Per operator: the kernel's Prepare; then room for 12 scratch requests more than there are.
 7. One handle per scratch request.
 8. As temporaries: subgraph offsets and one AllocationInfo per tensor and scratch request.
 9. Variable tensors.
10. As temporary: all that is left, in which the planner needs 40 bytes per buffer.
11. The head becomes the plan.
12. The pointers to the input tensors, then their descriptions; the outputs likewise.

The smallest arena is what the hungriest of these steps needs. It is not what TFLM reports as used.

Source: tensorflow/lite/micro/micro_allocator.cc, micro_interpreter.cc,
micro_interpreter_context.cc.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from firmware_ref.arena.abi import Abi
from firmware_ref.arena.allocator import ArenaReplay
from firmware_ref.arena.buffers import ARENA_ALIGNMENT_BYTES
from firmware_ref.arena.lifetimes import OperatorKey, TensorKey
from firmware_ref.arena.model_buffers import ModelBuffers, variable_handles
from firmware_ref.arena.requests import (
    INT32_BYTES,
    Persistent,
    Request,
    ResourceVariable,
    Scratch,
    Temporary,
)
from firmware_ref.model import Model, Tensor

MAX_SCRATCH_REQUESTS_PER_OPERATOR = 12
PLANNER_BYTES_PER_BUFFER = 40
"""GreedyMemoryPlanner::per_buffer_size(): requirements 16, size 4, id 4, list entry 12, offset 4;
the same on every ABI, since none of them is a pointer."""

ALLOCATOR = "allocator objects"
SUBGRAPHS = "subgraph allocations"
EVAL_TENSORS = "eval tensors"
NODES = "nodes and registrations"
PARAMS = "builtin parameters"
KERNELS = "kernel buffers"
RESOURCES = "resource variables"
SCRATCH_HANDLES = "scratch handles"
VARIABLES = "variable tensors"
TENSOR_POINTERS = "input and output pointers"
TENSORS = "input and output tensors"
QUANTIZATION = "input and output quantisation"


@dataclass
class Allocation:
    """The arena after a replay, and where the memory that keeps its content lies.

    `variable_tensors` and `resource_variables` map to the distance in bytes of their start from
    the arena's end.
    """

    arena: ArenaReplay
    variable_tensors: dict[TensorKey, int] = field(default_factory=dict)
    resource_variables: dict[tuple[str, str], int] = field(default_factory=dict)


def replay_allocation(
    model: Model,
    abi: Abi,
    buffers: ModelBuffers,
    requests: Mapping[OperatorKey, Iterable[Request]],
    head_bytes: int,
    end_remainder: int = 0,
) -> Allocation:
    """Replay TFLM's allocations.

    Args:
        model: the model.
        abi: the sizes of the build of TFLM.
        buffers: what the head must hold.
        requests: (subgraph, operator) -> the requests of its Prepare.
        head_bytes: size of the head by the plan.
        end_remainder: the arena's size modulo 16.
    """
    done = Allocation(ArenaReplay(end_remainder))
    arena = done.arena
    handles = variable_handles(model)
    for struct in abi.allocator_objects:
        arena.persistent(*struct, ALLOCATOR)
    # As few as are enough, for any number of handles to each. The wheel counts shared names, and
    # refuses models in which two containers have the same.
    variable_count = len(set(handles.values()))
    if variable_count:
        table_bytes = abi.resource_variable_bytes * variable_count
        arena.persistent(abi.resource_variables_bytes, ARENA_ALIGNMENT_BYTES, RESOURCES)
        arena.persistent(table_bytes, ARENA_ALIGNMENT_BYTES, RESOURCES)
    arena.persistent(*abi.builtin_data_allocator, ALLOCATOR)
    arena.resize_head(abi.scratch_request.size_bytes * MAX_SCRATCH_REQUESTS_PER_OPERATOR)
    arena.persistent_array(abi.subgraph_allocations, len(model.subgraphs), SUBGRAPHS)
    for subgraph in model.subgraphs:
        arena.persistent_array(abi.eval_tensor, len(subgraph.tensors), EVAL_TENSORS)
    for subgraph in model.subgraphs:
        arena.persistent_array(abi.node_and_registration, len(subgraph.operators), NODES)
    operators = [(subgraph, op) for subgraph in model.subgraphs for op in subgraph.operators]
    for _, op in operators:
        if op.name in abi.params:
            arena.persistent(*abi.params[op.name], PARAMS)
    for _, op in operators:
        if op.name in abi.op_data:
            arena.persistent(abi.op_data[op.name], ARENA_ALIGNMENT_BYTES, KERNELS)
    scratch_count = 0
    for subgraph, op in operators:
        for request in requests[subgraph.index, op.index]:
            if isinstance(request, Temporary):
                describe(arena, abi, subgraph.tensors[request.tensor])
            elif isinstance(request, Persistent):
                arena.persistent(request.size_bytes, ARENA_ALIGNMENT_BYTES, KERNELS)
            elif isinstance(request, Scratch):
                scratch_count += 1
            elif isinstance(request, ResourceVariable):
                name = handles.get((subgraph.index, request.handle))
                if name is not None and name not in done.resource_variables:
                    done.resource_variables[name] = arena.persistent(
                        request.size_bytes, ARENA_ALIGNMENT_BYTES, RESOURCES
                    )
        arena.free_temporaries()
        arena.resize_head(
            abi.scratch_request.size_bytes * (scratch_count + MAX_SCRATCH_REQUESTS_PER_OPERATOR)
        )
    _commit_plan(model, abi, buffers, head_bytes, done)
    main = model.subgraphs[0]
    for tensors in (main.inputs, main.outputs):
        pointers_bytes = abi.pointer_bytes * len(tensors)
        arena.persistent(pointers_bytes, ARENA_ALIGNMENT_BYTES, TENSOR_POINTERS)
        for index in tensors:
            describe_persistently(arena, abi, main.tensors[index])
    return done


def _commit_plan(
    model: Model, abi: Abi, buffers: ModelBuffers, head_bytes: int, done: Allocation
) -> None:
    arena = done.arena
    if buffers.scratch_count:
        arena.persistent_array(abi.scratch_handle, buffers.scratch_count, SCRATCH_HANDLES)
    tensor_count = sum(len(subgraph.tensors) for subgraph in model.subgraphs)
    info_count = tensor_count + buffers.scratch_count
    arena.temporary(abi.pointer_bytes * len(model.subgraphs), abi.pointer_bytes)
    arena.temporary(abi.allocation_info.size_bytes * info_count, abi.allocation_info.align_bytes)
    in_head = {(planned.subgraph_index, planned.tensor_index) for planned in buffers.planned}
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            if tensor.is_variable and (subgraph.index, tensor.index) not in in_head:
                done.variable_tensors[subgraph.index, tensor.index] = arena.persistent(
                    tensor.bytes, ARENA_ALIGNMENT_BYTES, VARIABLES
                )
    arena.rest_as_temporary(PLANNER_BYTES_PER_BUFFER * len(buffers.planned))
    arena.free_temporaries()
    arena.resize_head(head_bytes)


def _zero_points_bytes(tensor: Tensor) -> int | None:
    """Bytes of the TfLiteIntArray of zero points; None for a tensor without quantisation."""
    if tensor.quantization is None:
        return None
    return INT32_BYTES * (1 + len(tensor.quantization.scales))


def describe(arena: ArenaReplay, abi: Abi, tensor: Tensor) -> None:
    """A temporary TfLiteTensor, with its quantisation."""
    arena.temporary(*abi.tensor)
    zero_points_bytes = _zero_points_bytes(tensor)
    if zero_points_bytes is not None:
        # Freeing it reads the pointers to scales and zero points, but not the values.
        arena.temporary(*abi.affine_quantization, read_bytes=2 * abi.pointer_bytes)
        arena.temporary(zero_points_bytes, INT32_BYTES, read_bytes=0)


def describe_persistently(arena: ArenaReplay, abi: Abi, tensor: Tensor) -> None:
    """A TfLiteTensor of an input or output of the model, with its quantisation, in the tail."""
    arena.persistent(*abi.tensor, TENSORS)
    zero_points_bytes = _zero_points_bytes(tensor)
    if zero_points_bytes is not None:
        arena.persistent(*abi.affine_quantization, QUANTIZATION)
        arena.persistent(zero_points_bytes, INT32_BYTES, QUANTIZATION)
