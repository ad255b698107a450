"""Where every tensor lies: in the caller's buffers, in the state, in flash, or in the work buffer.

Tensors share a block where one is a view of another:

- a history's window, its parts and its tail (`histories`),
- the mask and `out`,
- the parts of a concatenation and the whole,
- a reshaped or sliced tensor and its source,
- the result of an elementwise operator and an input that nobody reads afterwards.

Blocks of the work buffer, and the patches of convolutions, are then packed by firmware_ref's
planner.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from firmware_ref.arena.buffers import Buffer, align_up
from firmware_ref.arena.optimizer import pack
from firmware_ref.c_export.contract import Contract
from firmware_ref.c_export.geometry import patch_bytes
from firmware_ref.c_export.histories import History
from firmware_ref.c_export.moves import contiguous_offset, leads_by_axis
from firmware_ref.c_export.nodes import TABLE_OPERATORS
from firmware_ref.c_export.steps import Step
from firmware_ref.model import Subgraph
from firmware_ref.options import ConcatenationOptions

ALIGNMENT_BYTES = 4
ELEMENTWISE = (*TABLE_OPERATORS, "ADD")


class Room(Enum):
    """The memory that a block belongs to."""

    FRAME = "in"
    MASK = "out"
    STATE = "state"
    CONSTANT = "constant"
    WORK = "work"


@dataclass
class Block:
    """Bytes shared by the tensors that are views of them; `offset` within the work buffer."""

    room: Room
    size_bytes: int
    position: int = 0
    offset: int = 0
    tensors: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """A tensor's block and its offset in it, in bytes."""

    block: Block
    offset: int


class Storage:
    """The place of every tensor that the code touches.

    Attributes:
        places: tensor index -> place.
        patches: operator index -> the block into which a convolution copies windows, if it does.
        work_bytes: size of the work buffer.
    """

    def __init__(
        self,
        graph: Subgraph,
        steps: list[Step],
        contract: Contract,
        histories: dict[int, History],
    ) -> None:
        self.places: dict[int, Place] = {}
        self.patches: dict[int, Block] = {}
        self._graph = graph
        self._steps = steps
        self._made = {i: n for n, step in enumerate(steps) for i in step.outputs}
        self._last_read: dict[int, int] = {}
        for number, step in enumerate(steps):
            self._last_read.update((i, number) for i in step.inputs)
        end = len(steps)
        self._last_read.update((i, end) for i in (contract.mask, *contract.new_states))
        self._place_ends(contract, histories)
        for step in reversed(steps):
            self._place_sources(step)
        for number, step in enumerate(steps):
            self._place_results(number, step)
        self.work_bytes = self._pack()

    def _put(self, index: int, block: Block, offset: int) -> None:
        block.tensors.append(index)
        self.places[index] = Place(block, offset)

    def _new(
        self, index: int, room: Room, size_bytes: int | None = None, position: int = 0
    ) -> None:
        size = self._graph.tensors[index].bytes if size_bytes is None else size_bytes
        self._put(index, Block(room, size, position), 0)

    def _is_free(self, index: int) -> bool:
        """Whether the tensor is made by a step and its place is still open."""
        return index in self._made and index not in self.places

    def _place_ends(self, contract: Contract, histories: dict[int, History]) -> None:
        for tensor in self._graph.tensors:
            if tensor.is_constant:
                self._new(tensor.index, Room.CONSTANT)
        self._new(contract.frame, Room.FRAME)
        for position, state in enumerate(contract.states):
            history = histories.get(position)
            if history is None:
                self._new(state, Room.STATE, position=position)
                continue
            size = history.state_bytes + history.step_bytes
            self._new(state, Room.STATE, size, position)
            block = self.places[state].block
            self._put(history.window, block, 0)
            self._put(history.new_state, block, history.step_bytes)
            if self._is_free(history.current):
                self._put(history.current, block, history.state_bytes)
        if self._is_free(contract.mask):
            self._new(contract.mask, Room.MASK)

    def _place_sources(self, step: Step) -> None:
        """Let a step's inputs be made where its output is wanted."""
        operator = step.operator
        y = self._graph.tensors[step.outputs[0]]
        options = operator.options
        if isinstance(options, ConcatenationOptions) and leads_by_axis(y, options.axis):
            if y.index not in self.places:
                self._new(y.index, Room.WORK)
            place = self.places[y.index]
            offset = place.offset
            for index in step.inputs:
                if self._is_free(index):
                    self._put(index, place.block, offset)
                offset += self._graph.tensors[index].bytes
        elif contiguous_offset(self._graph, operator) == 0 and y.index in self.places:
            x = self._graph.tensors[step.inputs[0]]
            if x.bytes == y.bytes and self._is_free(x.index):
                self._put(x.index, self.places[y.index].block, self.places[y.index].offset)

    def _place_results(self, number: int, step: Step) -> None:
        """Let a step's output lie in its input, or else in a block of its own."""
        operator = step.operator
        y = self._graph.tensors[step.outputs[0]]
        if y.index in self.places:
            return
        offset = contiguous_offset(self._graph, operator)
        if offset is not None:
            source = self.places[step.inputs[0]]
            self._put(y.index, source.block, source.offset + offset)
            return
        if operator.name in ELEMENTWISE:
            for index in step.inputs:
                block = self.places[index].block
                if (
                    block.room is Room.WORK
                    and block.size_bytes == y.bytes
                    and self._lifetime(block.tensors)[1] <= number
                ):
                    self._put(y.index, block, 0)
                    return
        self._new(y.index, Room.WORK)

    def _lifetime(self, tensors: Iterable[int]) -> tuple[int, int]:
        """First step that writes and last that reads any of the tensors."""
        made = [self._made[i] for i in tensors]
        read = [self._last_read.get(i, self._made[i]) for i in tensors]
        return min(made), max(made + read)

    def _pack(self) -> int:
        blocks = list(
            {
                id(place.block): place.block
                for place in self.places.values()
                if place.block.room is Room.WORK
            }.values()
        )
        lifetimes = [self._lifetime(block.tensors) for block in blocks]
        for number, step in enumerate(self._steps):
            if size := patch_bytes(self._graph, step):
                self.patches[step.operator.index] = Block(Room.WORK, size)
                blocks.append(self.patches[step.operator.index])
                lifetimes.append((number, number))
        packing = pack(
            [
                Buffer(align_up(block.size_bytes, ALIGNMENT_BYTES), *lifetime)
                for block, lifetime in zip(blocks, lifetimes, strict=True)
            ]
        )
        for block, offset in zip(blocks, packing.offsets, strict=True):
            block.offset = offset
        return packing.head_bytes
