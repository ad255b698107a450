"""C syntax: arrays, structs and calls as text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

LINE_WIDTH = 99
INDENT = "    "


def array_text(declaration: str, values: NDArray[Any]) -> str:
    """`declaration = { ... };` with the values of a vector of integers or of records."""
    items = map(_initializer, values.tolist())
    return "\n".join([f"{declaration} = {{", *filled(items), "};"])


def struct_text(c_type: str, symbol: str, fields: dict[str, str]) -> str:
    """A file-local constant struct with named fields."""
    items = [f".{name} = {value}" for name, value in fields.items()]
    return "\n".join([f"static const {c_type} {symbol} = {{", *filled(items), "};"])


def call_text(function: str, arguments: Iterable[str]) -> str:
    """`function(arguments);`, indented, on as many lines as it takes."""
    line, *rest = filled([*arguments], first=f"{INDENT}{function}(", indent=INDENT * 2)
    return "\n".join([line, *rest]).removesuffix(",") + ");"


def filled(items: Iterable[str], first: str = INDENT, indent: str = INDENT) -> list[str]:
    """Lines of items, each with a comma behind it, none broken: what stands between two braces."""
    lines, line = [], first
    for item in items:
        if len(line) + len(item) + 2 > LINE_WIDTH and line.strip():
            lines.append(line.rstrip())
            line = indent
        line += f"{item}, "
    return [*lines, line.rstrip()]


def _initializer(value: Any) -> str:
    """A number, or the members of a record or of an array within it in braces."""
    if isinstance(value, (tuple, np.ndarray)):
        return "{" + ", ".join(map(_initializer, value)) + "}"
    # -2147483648 is the negation of a number that int lacks
    return "(-2147483647 - 1)" if value == -(2**31) else str(value)
