"""What an operator that only moves data does at each invoke."""

from __future__ import annotations

from firmware_ref.model import Array
from firmware_ref.node import Invoke


def copies(*pairs: tuple[Array, Array]) -> Invoke:
    """Each (target, source): target = source, both of one shape, or the source broadcast to it."""

    def invoke() -> None:
        for target, source in pairs:
            target[...] = source

    return invoke
