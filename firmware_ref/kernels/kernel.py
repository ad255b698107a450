"""How a kernel is declared: its prepare step, the types it accepts, the file it follows."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.errors import UnsupportedOpError
from firmware_ref.node import Invoke, Node, Prepare

MAX_RANK = 6
"""RuntimeShape::kMaxSmallSize: TFLM writes past the end of a shape that has more dimensions."""


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
        input_count: fewest and most inputs; None: as many as the signatures name.
        has_parts: whether it may have several outputs; else it has as many as the signatures name.
    """

    prepare: Prepare
    signatures: tuple[str, ...]
    reference: str
    notes: str = ""
    input_count: tuple[int, int] | None = None
    has_parts: bool = False

    def build(self, node: Node) -> Invoke:
        """Check the types of `node`, the number of its tensors and their shapes, then prepare it.

        Raises:
            UnsupportedOpError: the types are none of `signatures`.
            ModelError: TFLM refuses such tensors, or shapes, scales and options contradict each
                other.
        """
        count = max(len(_input_types(signature)) for signature in self.signatures)
        for signature in self.signatures:
            names = _input_types(signature)
            if f"{', '.join(_received(node, len(names)))} -> {_result(node)}" == signature:
                self._check_tensors(node)
                return self._prepare(node)
        received = f"{', '.join(_received(node, count))} -> {_result(node)}"
        raise UnsupportedOpError(node.op.name, node.op.index, self.signatures, received)

    def _check_tensors(self, node: Node) -> None:
        named = len(_input_types(self.signatures[0]))
        fewest, most = self.input_count or (named, named)
        if not fewest <= len(node.inputs) <= most:
            expected = f"{fewest}" if fewest == most else f"{fewest} to {most}"
            raise node.error(f"has {len(node.inputs)} inputs; TFLM takes {expected}")
        if len(node.outputs) > 1 and not self.has_parts:
            raise node.error(f"has {len(node.outputs)} outputs; TFLM writes the first alone")
        for view in (*node.inputs, *node.outputs):
            if view is not None and len(view.shape) > MAX_RANK:
                raise node.error(
                    f"has the tensor {view.tensor.name!r} of {len(view.shape)} dimensions; TFLM's "
                    f"kernels take at most {MAX_RANK}"
                )
        for view in node.outputs:
            if view.tensor.elements == 0 and view.tensor.type.has_dtype:
                raise node.error(
                    f"has the empty output {view.tensor.name!r} of shape {view.shape}, which TFLM "
                    "takes for one of unknown size. Convert the model with a static input shape"
                )

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
