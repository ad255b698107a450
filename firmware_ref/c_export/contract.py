"""What a model must promise to become `tfkd_step`: frame and states in, mask and new states out."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_ref.errors import ModelError
from firmware_ref.model import Subgraph, Tensor, TensorType


@dataclass(frozen=True)
class Contract:
    """Tensor indices by role; `states[i]` is followed by `new_states[i]` one frame later."""

    frame: int
    mask: int
    states: tuple[int, ...]
    new_states: tuple[int, ...]


def read_contract(graph: Subgraph) -> Contract:
    """The roles of the graph's inputs and outputs, by position: first the signal, then the states.

    Raises:
        ModelError: an input or output is not quantised int8, or a state does not come out with the
            shape, scale and zero point that it went in with.
    """
    inputs = [graph.tensors[i] for i in graph.inputs]
    outputs = [graph.tensors[i] for i in graph.outputs]
    if len(inputs) != len(outputs) or not inputs:
        raise ModelError(
            "the C export needs one output per input: mask and new states for frame and states. "
            f"Received {len(inputs)} inputs and {len(outputs)} outputs."
        )
    for tensor in (*inputs, *outputs):
        if tensor.type is not TensorType.INT8 or tensor.quantization is None:
            raise ModelError(
                f"the C export needs quantised int8 inputs and outputs, but {tensor.name!r} is "
                f"{tensor.type}. Convert the model with int8 inputs and outputs."
            )
    for position, (old, new) in enumerate(zip(inputs[1:], outputs[1:], strict=True), start=1):
        if _layout(old) != _layout(new):
            raise ModelError(
                f"output {position} must be the next value of input {position}, with the same "
                f"shape, scale and zero point. Received {_layout(old)} in, {_layout(new)} out."
            )
    return Contract(graph.inputs[0], graph.outputs[0], graph.inputs[1:], graph.outputs[1:])


def _layout(tensor: Tensor) -> tuple[tuple[int, ...], float, int]:
    return tensor.shape, float(tensor.scale), tensor.zero_point
