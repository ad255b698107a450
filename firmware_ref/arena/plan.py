"""How much arena a model needs in TFLM, byte for byte, and where each tensor lies in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from types import MappingProxyType

from firmware_ref.arena.abi import ABIS, CORTEX_M_CMSIS_NN, Abi
from firmware_ref.arena.allocation import Allocation, replay_allocation
from firmware_ref.arena.allocator import Usage
from firmware_ref.arena.buffers import ARENA_ALIGNMENT_BYTES, head_bytes, peak_live_bytes
from firmware_ref.arena.cmsis_nn import cmsis_nn_requests
from firmware_ref.arena.greedy_planner import greedy_plan
from firmware_ref.arena.lifetimes import Lifetimes, TensorKey
from firmware_ref.arena.model_buffers import PlannedBuffer, model_buffers
from firmware_ref.arena.requests import prepare_requests
from firmware_ref.errors import TargetError
from firmware_ref.model import Model
from firmware_ref.reader import read_model


@dataclass(frozen=True)
class ArenaPlan:
    """The arena of a model in one build of TFLM. All sizes are in bytes.

    Args:
        abi: name of the build of TFLM.
        head_bytes: the planned part: activations and scratch memory.
        tail_bytes: the persistent part: TFLM's own structs, kernel data, variables.
        total_bytes: head + tail, what TFLM reports as `arena_used_bytes`.
        min_bytes: the smallest arena in which TFLM can allocate the model. Larger than
            `total_bytes` where setting up takes more memory than running.
        live_bytes: the largest sum of buffers alive at one step; no plan's head is smaller.
        categories: what the tail is spent on.
        buffers: the planned buffers in TFLM's order.
        offsets: the offset of each buffer from the arena's start, in the same order.
        variable_tensors: (subgraph, tensor) -> distance of its start from the arena's end.
        resource_variables: (container, shared name) -> likewise.
        steps: what runs at each of the steps that `first_used` and `last_used` count.
    """

    abi: str
    head_bytes: int
    tail_bytes: int
    total_bytes: int
    min_bytes: int
    live_bytes: int
    categories: Mapping[str, Usage]
    buffers: tuple[PlannedBuffer, ...]
    offsets: tuple[int, ...]
    variable_tensors: Mapping[TensorKey, int]
    resource_variables: Mapping[tuple[str, str], int]
    steps: tuple[str, ...]

    @property
    def tensor_offsets(self) -> dict[TensorKey, int]:
        """(subgraph index, tensor index) -> offset from the arena's start."""
        return {
            (planned.subgraph_index, planned.tensor_index): offset
            for planned, offset in zip(self.buffers, self.offsets, strict=True)
            if planned.tensor_index is not None
        }


def find_abi(name: str, cmsis_nn: bool = False) -> Abi:
    """The ABI of that name.

    Raises:
        TargetError: the name is unknown, or CMSIS-NN was asked for off an Arm chip.
    """
    if name not in ABIS:
        near = get_close_matches(name, ABIS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise TargetError(f"unknown ABI {name!r}. Expected one of {', '.join(ABIS)}.{hint}")
    if not cmsis_nn:
        return ABIS[name]
    if name != "cortex-m":
        raise TargetError(f"CMSIS-NN kernels exist for the ABI 'cortex-m' only, not for {name!r}.")
    return CORTEX_M_CMSIS_NN


def plan_arena(
    model_or_path: Model | str | os.PathLike[str] | bytes,
    abi: str = "x86_64-wheel",
    *,
    cmsis_nn: bool = False,
    mve: bool = False,
) -> ArenaPlan:
    """Replay TFLM's memory planning of a model.

    Args:
        model_or_path: a model, or the path or content of a .tflite file.
        abi: "x86_64-wheel" or "cortex-m".
        cmsis_nn: optimised instead of reference kernels ("cortex-m" only).
        mve: with `cmsis_nn`, those for vector instructions (Cortex-M55) instead of DSP ones.

    Raises:
        ModelError: the model is damaged.
        UnsupportedOpError: it holds an operator whose kernel is not known.
        TargetError: the ABI is unknown.

    >>> plan_arena("model.tflite").total_bytes  # doctest: +SKIP
    9872
    """
    build = find_abi(abi, cmsis_nn)
    model = model_or_path if isinstance(model_or_path, Model) else read_model(model_or_path)
    requests = {
        (subgraph.index, op.index): tuple(
            cmsis_nn_requests(op, subgraph, mve) if cmsis_nn else prepare_requests(op, subgraph)
        )
        for subgraph in model.subgraphs
        for op in subgraph.operators
    }
    buffers = model_buffers(model, requests)
    offsets = greedy_plan(buffers.buffers)
    head = head_bytes(buffers.buffers, offsets)

    def replay(end_remainder: int) -> Allocation:
        return replay_allocation(model, build, buffers, requests, head, end_remainder)

    aligned = replay(0)
    return ArenaPlan(
        abi=build.name,
        head_bytes=head,
        tail_bytes=aligned.arena.tail_bytes,
        total_bytes=head + aligned.arena.tail_bytes,
        min_bytes=min(
            _round_up_to(replay(remainder).arena.needed_bytes, remainder)
            for remainder in range(ARENA_ALIGNMENT_BYTES)
        ),
        live_bytes=peak_live_bytes(buffers.buffers),
        categories=MappingProxyType(aligned.arena.usage),
        buffers=buffers.planned,
        offsets=tuple(offsets),
        variable_tensors=MappingProxyType(aligned.variable_tensors),
        resource_variables=MappingProxyType(aligned.resource_variables),
        steps=_step_names(model, buffers.lifetimes),
    )


def _step_names(model: Model, lifetimes: Lifetimes) -> tuple[str, ...]:
    names = [""] * lifetimes.step_count
    for (subgraph, op), (first, last) in lifetimes.operators.items():
        names[first] = model.subgraphs[subgraph].operators[op].name
        if last > first:  # it calls a subgraph, which begins at the next step
            names[first + 1] = "(call)"
    names[0] = "(inputs)"
    return tuple(names)


def _round_up_to(size_bytes: int, remainder: int) -> int:
    """The smallest size of at least `size_bytes` that leaves `remainder` modulo 16."""
    return size_bytes + (remainder - size_bytes) % ARENA_ALIGNMENT_BYTES
