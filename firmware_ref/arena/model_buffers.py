"""The buffers that a model asks the memory planner for, in TFLM's order.

A tensor is planned if it has no constant content, is not empty, is no handle of a resource
variable (whose content lives in the kernel's own data), and is no variable, unless the model
prescribes an offset for it. The order is that of
TFLM's AllocationInfo array: the tensors of subgraph 0, 1, ... by index, then the scratch requests
in the order in which the kernels made them.

Source: tensorflow/lite/micro/micro_allocation_info.cc, micro_allocator.cc (CreatePlan).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from firmware_ref.arena.buffers import Buffer, align_up
from firmware_ref.arena.lifetimes import Lifetimes, OperatorKey, TensorKey, find_lifetimes
from firmware_ref.arena.requests import Request, Scratch
from firmware_ref.errors import ModelError
from firmware_ref.model import Model

OFFLINE_METADATA = "OfflineMemoryAllocation"
"""Name of the metadata that holds prescribed offsets: int32 version, subgraph, count, offsets."""
ONLINE = -1
"""The offset that leaves a tensor to the planner."""


@dataclass(frozen=True)
class PlannedBuffer:
    """One buffer of the head: a tensor, or a scratch request of an operator.

    Args:
        name: name of the tensor, or of the operator that asked for scratch memory.
        subgraph_index: where it belongs.
        tensor_index: index of the tensor; None for scratch memory.
        operator_index: index of the operator that asked; None for a tensor.
        content_bytes: bytes of the content, without rounding.
        buffer: what the planner sees.
    """

    name: str
    subgraph_index: int
    tensor_index: int | None
    operator_index: int | None
    content_bytes: int
    buffer: Buffer


@dataclass(frozen=True)
class ModelBuffers:
    """Everything the head must hold, with the lifetimes that it follows from."""

    planned: tuple[PlannedBuffer, ...]
    lifetimes: Lifetimes
    scratch_count: int

    @property
    def buffers(self) -> list[Buffer]:
        """What the planner sees, in order."""
        return [planned.buffer for planned in self.planned]


def offline_offsets(model: Model) -> list[int] | None:
    """Offsets that the model prescribes, one per tensor of the whole model; None without them.

    Raises:
        ModelError: the metadata is damaged, or counts another number of tensors.
    """
    content = model.metadata.get(OFFLINE_METADATA)
    if content is None:
        return None
    count = sum(len(subgraph.tensors) for subgraph in model.subgraphs)
    if len(content) < 12 or len(content) % 4:
        raise ModelError(
            f"the metadata {OFFLINE_METADATA} has {len(content)} bytes; expected 12 + 4 per tensor."
        )
    _, _, promised, *offsets = struct.unpack(f"<{len(content) // 4}i", content)
    if promised != count or len(offsets) < count:
        raise ModelError(
            f"the metadata {OFFLINE_METADATA} promises {promised} offsets and holds "
            f"{len(offsets)}; the model has {count} tensors."
        )
    if any(offset < ONLINE for offset in offsets):
        raise ModelError(f"the metadata {OFFLINE_METADATA} holds an offset below -1.")
    return offsets[:count]


def variable_handles(model: Model) -> dict[TensorKey, tuple[str, str]]:
    """Tensors whose content a VAR_HANDLE keeps in its own data -> (container, shared name)."""
    handles: dict[TensorKey, tuple[str, str]] = {}
    for subgraph in model.subgraphs:
        for op in subgraph.operators:
            if op.name == "VAR_HANDLE":
                name = (
                    getattr(op.options, "container", ""),
                    getattr(op.options, "shared_name", ""),
                )
                for tensor in op.outputs:
                    handles[subgraph.index, tensor] = name
    return handles


def model_buffers(model: Model, requests: Mapping[OperatorKey, Iterable[Request]]) -> ModelBuffers:
    """List the buffers of the head.

    Args:
        model: the model.
        requests: (subgraph, operator) -> the requests of its kernel.

    Raises:
        ModelError: the offline metadata is damaged or a subgraph calls itself.
    """
    lifetimes = find_lifetimes(model)
    handles = set(variable_handles(model))
    offsets = iter(offline_offsets(model) or ())
    planned = []
    for subgraph in model.subgraphs:
        for tensor in subgraph.tensors:
            key = (subgraph.index, tensor.index)
            fixed = next(offsets, ONLINE)
            if tensor.is_constant or key in handles or tensor.bytes == 0:
                continue
            if tensor.is_variable and fixed == ONLINE:
                continue
            buffer = Buffer(
                align_up(tensor.bytes),
                *lifetimes.tensor(key),
                fixed_offset=None if fixed == ONLINE else fixed,
            )
            planned.append(
                PlannedBuffer(tensor.name, subgraph.index, tensor.index, None, tensor.bytes, buffer)
            )
    tensor_count = len(planned)
    for subgraph in model.subgraphs:
        for op in subgraph.operators:
            for request in requests[subgraph.index, op.index]:
                if isinstance(request, Scratch):
                    first, last = lifetimes.operator((subgraph.index, op.index))
                    buffer = Buffer(align_up(request.size_bytes), first, last)
                    planned.append(
                        PlannedBuffer(
                            op.name, subgraph.index, None, op.index, request.size_bytes, buffer
                        )
                    )
    return ModelBuffers(tuple(planned), lifetimes, len(planned) - tensor_count)
