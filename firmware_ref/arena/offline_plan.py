"""A smaller arena than TFLM's own planner finds, prescribed in the model's metadata.

TFLM takes prescribed tensor offsets from the metadata "OfflineMemoryAllocation" and plans scratch
memory around them. The packing is searched by `optimizer`; what it is worth is always what TFLM's
planner makes of it, scratch memory included, so a plan is only offered where the head shrinks.

Source: tensorflow/lite/micro/docs/memory_management.md, micro_allocation_info.cc.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass, replace
from pathlib import Path

from firmware_ref.arena.buffers import head_bytes
from firmware_ref.arena.greedy_planner import greedy_plan
from firmware_ref.arena.model_buffers import OFFLINE_METADATA, ONLINE
from firmware_ref.arena.optimizer import pack
from firmware_ref.arena.plan import ArenaPlan, plan_arena
from firmware_ref.errors import ModelError
from firmware_ref.metadata_writer import with_metadata
from firmware_ref.model import Model
from firmware_ref.reader import read_model
from firmware_ref.whole_file import whole_file

METADATA_VERSION = 1


@dataclass(frozen=True)
class OfflinePlan:
    """A plan for the metadata, beside TFLM's own.

    Args:
        offsets: one per tensor of the whole model, -1 for what stays with the planner.
        greedy: the arena by TFLM's planner alone.
        planned: the arena with these offsets prescribed.
        is_optimal: whether no plan at all has a smaller head.
    """

    offsets: tuple[int, ...]
    greedy: ArenaPlan
    planned: ArenaPlan
    is_optimal: bool

    @property
    def saved_bytes(self) -> int:
        """By how much the smallest arena shrinks."""
        return self.greedy.min_bytes - self.planned.min_bytes

    @property
    def metadata(self) -> bytes:
        """Content of the metadata: version, subgraph, count, offsets, int32 each."""
        count = len(self.offsets)
        return struct.pack(f"<{3 + count}i", METADATA_VERSION, 0, count, *self.offsets)


def plan_offline(
    model_or_path: Model | str | os.PathLike[str] | bytes,
    abi: str = "cortex-m",
    *,
    cmsis_nn: bool = False,
    mve: bool = False,
) -> OfflinePlan:
    """Search offsets that need a smaller arena than TFLM's planner does.

    Where none are found, every offset is -1 and nothing is saved. Arguments and errors are those
    of `plan_arena`; an offline plan that the model already has is disregarded.
    """
    model = model_or_path if isinstance(model_or_path, Model) else read_model(model_or_path)
    kept = {name: value for name, value in model.metadata.items() if name != OFFLINE_METADATA}
    model = replace(model, metadata=kept)
    greedy = plan_arena(model, abi, cmsis_nn=cmsis_nn, mve=mve)
    buffers = [planned.buffer for planned in greedy.buffers]
    is_scratch = [planned.tensor_index is None for planned in greedy.buffers]

    def head_in_tflm(offsets: list[int]) -> int:
        prescribed = [
            buffer if scratch else replace(buffer, fixed_offset=offset)
            for buffer, offset, scratch in zip(buffers, offsets, is_scratch, strict=True)
        ]
        return head_bytes(prescribed, greedy_plan(prescribed))

    packing = pack(buffers, cost=head_in_tflm if any(is_scratch) else None)
    if packing.head_bytes >= greedy.head_bytes:
        count = sum(len(subgraph.tensors) for subgraph in model.subgraphs)
        is_optimal = packing.is_optimal or greedy.head_bytes == greedy.live_bytes
        return OfflinePlan((ONLINE,) * count, greedy, greedy, is_optimal)
    places = {
        (planned.subgraph_index, planned.tensor_index): offset
        for planned, offset in zip(greedy.buffers, packing.offsets, strict=True)
    }
    offsets = tuple(
        places.get((subgraph.index, tensor.index), ONLINE)
        for subgraph in model.subgraphs
        for tensor in subgraph.tensors
    )
    found = OfflinePlan(offsets, greedy, greedy, packing.is_optimal)
    with_plan = replace(model, metadata={**kept, OFFLINE_METADATA: found.metadata})
    planned = plan_arena(with_plan, abi, cmsis_nn=cmsis_nn, mve=mve)
    return replace(found, planned=planned)


def write_offline_plan(
    source: str | os.PathLike[str],
    destination: str | os.PathLike[str],
    abi: str = "cortex-m",
    *,
    cmsis_nn: bool = False,
    mve: bool = False,
) -> OfflinePlan:
    """Write a copy of a .tflite file that carries a smaller plan; an equal copy where none is.

    Args:
        source: the model.
        destination: the copy; it appears whole or not at all, and may be `source`.
        abi: as in `plan_arena`; so are `cmsis_nn` and `mve`.

    Raises:
        ModelError: the model is damaged, or the copy cannot be written.
    """
    source, destination = Path(source), Path(destination)
    model = read_model(source)  # names what is wrong with the path or file
    content = source.read_bytes()
    plan = plan_offline(content, abi, cmsis_nn=cmsis_nn, mve=mve)
    if plan.saved_bytes or OFFLINE_METADATA in model.metadata:
        content = with_metadata(content, OFFLINE_METADATA, plan.metadata)
    try:
        with whole_file(destination) as temporary:
            temporary.write_bytes(content)
    except OSError as error:
        raise ModelError(f"cannot write the model {destination}: {error.strerror}.") from error
    return plan
