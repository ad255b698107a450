"""Adds a metadata entry to a .tflite file without touching anything else in it.

References in a flatbuffer are distances forward, so the old file stays as it is, behind a new
root table that refers into it:

    new root, new lists of buffers and metadata, the new entry | the old file

Nothing of the old file is decoded beyond its root, and weights are not copied around.
"""

from __future__ import annotations

import struct

from firmware_ref.errors import ModelError
from firmware_ref.flatbuffer import Flatbuffer
from firmware_ref.schema import FILE_IDENTIFIER, Slot

MODEL_SLOTS = 8
DATA_ALIGNMENT_BYTES = 16
"""`force_align` of the data of a buffer in schema.fbs."""
FILE_ALIGNMENT_BYTES = 64
"""A multiple of every alignment that the old file may rely on."""


class _Prefix:
    """Bytes under construction, and the references in them that point to what comes later."""

    def __init__(self) -> None:
        self.content = bytearray()
        self._references: list[tuple[int, int]] = []  # (where, target); target < 0: in the old file

    def align(self, size_bytes: int, offset: int = 0) -> None:
        """Pad until `offset` bytes further on is a multiple of `size_bytes`."""
        self.content += bytes(-(len(self.content) + offset) % size_bytes)

    def put(self, form: str, *values: int) -> int:
        """Append little-endian values and return where they begin."""
        position = len(self.content)
        self.content += struct.pack("<" + form, *values)
        return position

    def refer(self, where: int, target: int) -> None:
        """The uint32 at `where` points to `target` of the prefix."""
        struct.pack_into("<I", self.content, where, target - where)

    def refer_to_old(self, where: int, target: int) -> None:
        """The uint32 at `where` points to byte `target` of the old file."""
        self._references.append((where, target))

    def finish(self) -> bytes:
        """The prefix, with the references into the old file that follows it."""
        self.align(FILE_ALIGNMENT_BYTES)
        for where, target in self._references:
            self.refer(where, len(self.content) + target)
        return bytes(self.content)

    def vector(self, old: list[int]) -> int:
        """A vector of references to tables of the old file and to one of the prefix, the last."""
        position = self.put("I", len(old) + 1)
        for target in old:
            self.refer_to_old(self.put("I", 0), target)
        self.put("I", 0)
        return position


def with_metadata(content: bytes, name: str, value: bytes) -> bytes:
    """A copy of a .tflite file with the metadata `name` set to `value`.

    Args:
        content: the file.
        name: of the entry; an entry of that name is replaced.
        value: its content.

    Raises:
        ModelError: the file is damaged, or keeps weights behind its flatbuffer.
    """
    root = Flatbuffer(content).root(FILE_IDENTIFIER)
    buffers = root.tables(Slot.MODEL_BUFFERS, "buffer")
    if any(table.scalar(Slot.BUFFER_OFFSET, "uint64") > 1 for table in buffers):
        raise ModelError(
            "the model keeps weights behind its flatbuffer (as files over 2 GB do); "
            "metadata cannot be added to it."
        )
    entries = [
        table
        for table in root.tables(Slot.MODEL_METADATA, "metadata")
        if table.string(Slot.METADATA_NAME) != name
    ]
    prefix = _Prefix()
    prefix.put("I", 0)
    prefix.content += FILE_IDENTIFIER
    kept = {
        slot: reference
        for slot in range(1, MODEL_SLOTS)
        if slot not in (Slot.MODEL_BUFFERS, Slot.MODEL_METADATA)
        and (reference := root.reference(slot)) is not None
    }
    present = {Slot.MODEL_VERSION, Slot.MODEL_BUFFERS, Slot.MODEL_METADATA, *kept}
    fields = [4 + 4 * slot if slot in present else 0 for slot in range(MODEL_SLOTS)]
    vtable = prefix.put(f"{2 + MODEL_SLOTS}H", 4 + 2 * MODEL_SLOTS, 4 + 4 * MODEL_SLOTS, *fields)
    prefix.align(4)
    model = prefix.put("i", len(prefix.content) - vtable)
    prefix.put(f"{MODEL_SLOTS}I", *[0] * MODEL_SLOTS)
    prefix.refer(0, model)
    struct.pack_into("<I", prefix.content, model + 4, root.scalar(Slot.MODEL_VERSION, "uint32"))
    for slot, target in kept.items():
        prefix.refer_to_old(model + 4 + 4 * slot, target)
    buffer_list = prefix.vector([table.position for table in buffers])
    buffer_slot = len(prefix.content) - 4
    entry_list = prefix.vector([table.position for table in entries])
    entry_slot = len(prefix.content) - 4
    prefix.refer(model + 4 + 4 * Slot.MODEL_BUFFERS, buffer_list)
    prefix.refer(model + 4 + 4 * Slot.MODEL_METADATA, entry_list)
    entry_vtable = prefix.put("4H", 8, 12, 4, 8)
    entry = prefix.put("i", len(prefix.content) - entry_vtable)
    name_slot = prefix.put("II", 0, len(buffers))
    prefix.refer(entry_slot, entry)
    text = name.encode()
    prefix.refer(name_slot, prefix.put("I", len(text)))
    prefix.content += text + b"\0"
    prefix.align(4)
    data_vtable = prefix.put("3H", 6, 8, 4)
    prefix.align(4)
    data = prefix.put("i", len(prefix.content) - data_vtable)
    data_slot = prefix.put("I", 0)
    prefix.refer(buffer_slot, data)
    prefix.align(DATA_ALIGNMENT_BYTES, offset=4)
    prefix.refer(data_slot, prefix.put("I", len(value)))
    prefix.content += value
    return prefix.finish() + content
