"""How a kernel is declared: its prepare step, the types it accepts, the file it follows."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.errors import UnsupportedOpError
from firmware_ref.node import Invoke, Node, Prepare


@dataclass(frozen=True)
class Kernel:
    """One entry of the table of kernels.

    `prepare(node)` computes everything that does not depend on the activations (multipliers,
    shifts, folded biases, gather indices, work arrays) and returns a closure that reads the input
    views and writes the output views; invoke calls only the closure.

    Args:
        prepare: the prepare step.
        signatures: accepted types, "first inputs -> first output", such as
            `"int8, int8 -> int8"`. As many leading inputs are compared as the signature names.
        reference: the TFLite or TFLM source file that the arithmetic follows.
        notes: what of the operator is not supported, for docs/supported-ops.md; may be empty.
    """

    prepare: Prepare
    signatures: tuple[str, ...]
    reference: str
    notes: str = ""

    def build(self, node: Node) -> Invoke:
        """Check the types of `node`, then prepare it.

        Raises:
            UnsupportedOpError: the types are none of `signatures`.
            ModelError: shapes, scales or options contradict each other.
        """
        count = max(len(_input_types(signature)) for signature in self.signatures)
        for signature in self.signatures:
            names = _input_types(signature)
            if f"{', '.join(_received(node, len(names)))} -> {_result(node)}" == signature:
                return self._prepare(node)
        received = f"{', '.join(_received(node, count))} -> {_result(node)}"
        raise UnsupportedOpError(node.op.name, node.op.index, self.signatures, received)

    def _prepare(self, node: Node) -> Invoke:
        try:
            return self.prepare(node)
        except CONTRADICTIONS as error:
            raise node.error(f"does not fit its tensors: {error}") from error


# What NumPy and arithmetic raise when a damaged file gives an operator tensors of the wrong shape,
# rank, scale or size. A prepare step reports the likely ones in words; these are the rest.
CONTRADICTIONS = (ValueError, IndexError, ZeroDivisionError, OverflowError, MemoryError)


def _input_types(signature: str) -> list[str]:
    left = signature.split(" -> ")[0]
    return left.split(", ") if left else []


def _received(node: Node, count: int) -> list[str]:
    return ["none" if view is None else str(view.type) for view in node.inputs[:count]]


def _result(node: Node) -> str:
    return str(node.outputs[0].type) if node.outputs else "none"
