"""C syntax: arrays, structs and calls as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from firmware_ref.errors import ModelError

LINE_WIDTH = 99
INDENT = "    "


def array_text(declaration: str, values: NDArray[Any]) -> str:
    """`declaration = { ... };` with the values in C order; the rows of a matrix in braces."""
    if values.dtype.kind not in "iu":
        raise ModelError(
            f"the C export writes integers, received {values.dtype} for {declaration}."
        )
    items = [_row(row) if isinstance(row, list) else _number(row) for row in values.tolist()]
    return "\n".join([f"{declaration} = {{", *_filled(items), "};"])


def struct_text(c_type: str, symbol: str, fields: dict[str, str]) -> str:
    """A file-local constant struct with named fields."""
    items = [f".{name} = {value}" for name, value in fields.items()]
    return "\n".join([f"static const {c_type} {symbol} = {{", *_filled(items), "};"])


def call_text(function: str, arguments: Iterable[str]) -> str:
    """`function(arguments);`, indented, on as many lines as it takes."""
    line, *rest = _filled([*arguments], first=f"{INDENT}{function}(", indent=INDENT * 2)
    return "\n".join([line, *rest]).removesuffix(",") + ");"


def _filled(items: list[str], first: str = INDENT, indent: str = INDENT) -> list[str]:
    """Lines of items, each with a comma behind it, none broken."""
    lines, line = [], first
    for item in items:
        if len(line) + len(item) + 2 > LINE_WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip()]


def _row(numbers: list[int]) -> str:
    return "{" + ", ".join(map(_number, numbers)) + "}"


def _number(value: int) -> str:
    # -2147483648 is the negation of a number that int lacks
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)
