"""Checked access to a flatbuffer: every offset, length and vtable is bounded before it is used.

Why not a generated schema: the official Python one ships only inside packages that carry a native
runtime (ai-edge-litert, tflite-micro, tensorflow), and generated code follows any offset that a
damaged file holds. Binary layout: https://flatbuffers.dev/internals/.

    table:   int32 distance back to its vtable, then the inline fields
    vtable:  uint16 its own size, uint16 size of the table, uint16 offset of each field (0 = absent)
    vector:  uint32 count, then the elements; strings are vectors of bytes; references are uint32
"""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.errors import ModelError

_FORMATS = {
    "bool": struct.Struct("<?"),
    "int8": struct.Struct("<b"),
    "uint8": struct.Struct("<B"),
    "uint16": struct.Struct("<H"),
    "int32": struct.Struct("<i"),
    "uint32": struct.Struct("<I"),
    "float32": struct.Struct("<f"),
    "uint64": struct.Struct("<Q"),
}
_DTYPES = {"uint8": "u1", "int32": "<i4", "uint32": "<u4", "float32": "<f4", "int64": "<i8"}

_TABLE_COST = 32
"""Decoding a table takes as long as that many bytes; in a file it takes 8 bytes at least."""


class Flatbuffer:
    """The bytes of a flatbuffer, with a budget of work.

    A hostile file may point a million references at one large vector. The budget, 8 times the size
    of the file, bounds what may be decoded in all; an honest file needs at most 4 times its size.
    """

    def __init__(self, content: bytes) -> None:
        self.content = content
        self._budget = 8 * len(content) + 4096

    def root(self, identifier: bytes) -> Table:
        """The root table; ModelError when the file identifier is another."""
        if len(self.content) < 8:
            raise ModelError(
                f"the file is too short to be a .tflite model: {len(self.content)} bytes."
            )
        found = self.content[4:8]
        if found != identifier:
            raise ModelError(
                f"this is no .tflite model: expected the identifier {identifier!r} at byte 4, "
                f"received {found!r}."
            )
        return Table(self, int(self.scalar("uint32", 0, "root")), "model")

    def scalar(self, kind: str, position: int, what: str) -> Any:
        """The scalar at `position`."""
        form = _FORMATS[kind]
        if not 0 <= position <= len(self.content) - form.size:
            self.check(position, form.size, what)
        return form.unpack_from(self.content, position)[0]

    def check(self, position: int, size: int, what: str) -> None:
        """ModelError unless `size` bytes at `position` lie inside the file."""
        if position < 0 or position + size > len(self.content):
            raise ModelError(
                f"{what} points outside the file: bytes {position} to {position + size} "
                f"of {len(self.content)}. The file is truncated or damaged."
            )

    def spend(self, size: int, what: str) -> None:
        """Take `size` bytes from the budget; ModelError when it is used up."""
        self._budget -= size
        if self._budget < 0:
            raise ModelError(
                f"{what} makes the model expand to more than 8 times its file: "
                "its references overlap. The file is damaged or hostile."
            )


class Table:
    """A table of the flatbuffer. `what` names it in error messages ("subgraph 0 tensor 3")."""

    def __init__(self, buffer: Flatbuffer, position: int, what: str) -> None:
        self.what = what
        self._buffer = buffer
        self._position = position
        buffer.spend(_TABLE_COST, what)
        self._vtable = position - buffer.scalar("int32", position, what)
        self._vtable_size = buffer.scalar("uint16", self._vtable, f"the vtable of {what}")
        self._size = buffer.scalar("uint16", self._vtable + 2, f"the vtable of {what}")
        buffer.check(self._vtable, self._vtable_size, f"the vtable of {what}")
        buffer.check(position, self._size, what)
        if self._vtable_size < 4 or self._vtable_size % 2 or self._size < 4:
            raise ModelError(
                f"{what} has an impossible vtable (size {self._vtable_size}, "
                f"table size {self._size}). The file is damaged."
            )

    def scalar(self, slot: int, kind: str, default: Any = 0) -> Any:
        """A scalar field, `default` when absent."""
        position = self._field(slot, _FORMATS[kind].size)
        if position is None:
            return default
        return self._buffer.scalar(kind, position, self.what)

    def string(self, slot: int) -> str:
        """A string field, empty when absent; bytes that are not UTF-8 come out escaped."""
        found = self._vector(slot, 1)
        if found is None:
            return ""
        start, count = found
        return self._buffer.content[start : start + count].decode("utf-8", "backslashreplace")

    def array(self, slot: int, kind: str) -> NDArray[Any] | None:
        """A vector of scalars as a read-only view of the file, None when absent."""
        dtype = np.dtype(_DTYPES[kind])
        found = self._vector(slot, dtype.itemsize)
        if found is None:
            return None
        start, count = found
        return np.frombuffer(self._buffer.content, dtype, count, start)

    def integers(self, slot: int) -> tuple[int, ...]:
        """A vector of int32, empty when absent."""
        values = self.array(slot, "int32")
        return () if values is None else tuple(values.tolist())

    @property
    def position(self) -> int:
        """Where the table lies in the file."""
        return self._position

    def reference(self, slot: int) -> int | None:
        """Where the vector, string or table that a field refers to lies; None when absent."""
        position = self._field(slot, 4)
        if position is None:
            return None
        return position + int(self._buffer.scalar("uint32", position, self.what))

    def table(self, slot: int, what: str) -> Table | None:
        """A table that this one refers to, None when absent."""
        position = self._field(slot, 4)
        return None if position is None else self._follow(position, what)

    def tables(self, slot: int, what: str) -> list[Table]:
        """A vector of tables, empty when absent; the n-th is named `what` n."""
        found = self._vector(slot, 4)
        if found is None:
            return []
        start, count = found
        return [self._follow(start + 4 * i, f"{what} {i}") for i in range(count)]

    def _follow(self, position: int, what: str) -> Table:
        return Table(self._buffer, position + self._buffer.scalar("uint32", position, what), what)

    def _field(self, slot: int, size: int) -> int | None:
        entry = 4 + 2 * slot
        if entry + 2 > self._vtable_size:
            return None
        offset: int = self._buffer.scalar("uint16", self._vtable + entry, self.what)
        if offset == 0:
            return None
        if offset < 4 or offset + size > self._size:
            raise ModelError(
                f"field {slot} of {self.what} lies outside its table (offset {offset}, "
                f"table size {self._size}). The file is damaged."
            )
        return self._position + offset

    def _vector(self, slot: int, item_size: int) -> tuple[int, int] | None:
        position = self._field(slot, 4)
        if position is None:
            return None
        start = position + self._buffer.scalar("uint32", position, self.what)
        what = f"the vector in field {slot} of {self.what}"
        count: int = self._buffer.scalar("uint32", start, what)
        self._buffer.check(start + 4, count * item_size, what)
        self._buffer.spend(4 + count * item_size, what)
        return start + 4, count
