"""The errors of firmware_ref.

    FirmwareRefError
    ├── ModelError             the .tflite file is damaged or contradicts itself
    │   └── UnsupportedOpError an operator or type outside docs/supported-ops.md
    ├── ArenaError             the arena is too small
    ├── TensorError            a tensor was asked for or set in the wrong way
    ├── TargetError            an unknown chip, or a chip table entry that makes no sense
    └── ToolchainError         a compiler or emulator is missing, or refused what it was given

A message says what was wrong, what was expected, what came, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable


class FirmwareRefError(Exception):
    """Root of every error that firmware_ref raises on purpose."""


class ModelError(FirmwareRefError):
    """The model file is truncated, damaged, or contradicts itself."""


FULLY_QUANTISED = (
    " The model computes in floating point, wholly or in part: convert it again, fully quantised "
    "(TFLite's converter: a representative data set, and integer operators only)."
)


class UnsupportedOpError(ModelError):
    """An operator, or the types of its tensors, is outside the supported list.

    Args:
        op: name of the operator, such as `"CONV_2D"`.
        index: position of the operator in its subgraph.
        supported: what would have been accepted (operator names, or type signatures of `op`).
        received: the types that came, empty when the operator itself is unknown.
        by: who lacks it.
    """

    def __init__(
        self,
        op: str,
        index: int,
        supported: Iterable[str],
        received: str = "",
        *,
        by: str = "firmware_ref",
    ) -> None:
        self.op = op
        self.index = index
        self.supported = tuple(supported)
        self.received = received
        what = f"operator {index} ({op})"
        if received:
            what += f" has the types `{received}`, which {by} has no kernel for"
        else:
            what += f" is not supported by {by}"
        advice = FULLY_QUANTISED if "float" in received else ""
        super().__init__(f"{what}. Supported: {', '.join(self.supported)}.{advice}")


class ArenaError(FirmwareRefError):
    """The tensor arena is smaller than the model needs.

    Args:
        needed: smallest arena that works, in bytes.
        given: the arena that was offered, in bytes.
    """

    def __init__(self, needed: int, given: int) -> None:
        self.needed = needed
        self.given = given
        super().__init__(
            f"the arena is too small: {needed} bytes needed, {given} bytes given "
            f"({needed - given} short). Enlarge the arena or shrink the model."
        )


class TensorError(FirmwareRefError):
    """A tensor was addressed or set in a way that its model does not allow."""


class TargetError(FirmwareRefError):
    """The chip is unknown, or its entry in the table of targets is wrong."""


class ToolchainError(FirmwareRefError):
    """arm-none-eabi-gcc or QEMU is missing, or it failed; the message holds its own words."""
