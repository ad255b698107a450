"""A .tflite model as C99: one function per frame, no interpreter, no heap, no floating point."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from firmware_ref.c_export.contract import Contract, read_contract
from firmware_ref.c_export.emitter import Emitter, state_field
from firmware_ref.c_export.files import StateField, model_c, model_h, weights_c, weights_h
from firmware_ref.c_export.histories import History, find_histories
from firmware_ref.c_export.nodes import check_operators
from firmware_ref.c_export.operators import EMITTERS
from firmware_ref.c_export.steps import plan_steps
from firmware_ref.c_export.storage import Room, Storage
from firmware_ref.errors import ModelError, UnsupportedOpError
from firmware_ref.model import Model, Subgraph

KERNEL_FILES = ("kernels.h", "kernels.c", "convolutions.c", "arithmetic.h", "inner_products.h")


@dataclass(frozen=True)
class CSource:
    """The export of one model.

    Attributes:
        files: name -> text, to be written side by side and compiled together.
        state_bytes: size of `tfkd_state`.
        work_bytes: size of the static work buffer.
    """

    files: dict[str, str]
    state_bytes: int
    work_bytes: int


def export_c(model: Model) -> CSource:
    """The C99 source of an int8 model, which computes what TFLM computes, bit for bit.

    The model's inputs are the frame and its states, its outputs the mask and the new states in
    the same order; a model with one input and one output has no state.

    Raises:
        UnsupportedOpError: an operator that the export lacks.
        ModelError: the inputs and outputs do not pair, or an operator contradicts itself.

    Example:
        >>> model = firmware_ref.read_model("tests/firmware_ref/models/stream.tflite")
        >>> sorted(export_c(model).files)[-4:]
        ['model.c', 'model.h', 'weights.c', 'weights.h']
    """
    graph = model.subgraphs[0]
    contract = read_contract(graph)
    for operator in graph.operators:
        if operator.name not in EMITTERS:
            raise UnsupportedOpError(
                operator.name, operator.index, sorted(EMITTERS), by="the C export"
            )
    _check_tensors(graph)
    check_operators(graph)
    steps = plan_steps(graph)
    histories = find_histories(graph, steps, contract)
    storage = Storage(graph, steps, contract, histories)
    emitter = Emitter(graph, storage)
    for step in steps:
        EMITTERS[step.operator.name](emitter, step)
    fields = [
        StateField(
            state_field(position),
            storage.places[state].block.size_bytes,
            graph.tensors[state].zero_point,
        )
        for position, state in enumerate(contract.states)
    ]
    _emit_endings(emitter, contract, histories)
    frame, mask = graph.tensors[contract.frame], graph.tensors[contract.mask]
    texts = {
        "model.h": model_h(frame, mask, fields, storage.work_bytes),
        "model.c": model_c(emitter, fields),
        "weights.h": weights_h(emitter),
        "weights.c": weights_c(emitter),
    }
    folder = files("firmware_ref.c_export")
    for name in KERNEL_FILES:
        texts[name] = (folder / name).read_text(encoding="utf-8")
    state_bytes = sum(field.size_bytes for field in fields)
    return CSource(texts, state_bytes, storage.work_bytes)


def _check_tensors(graph: Subgraph) -> None:
    """ModelError where an operator reads a variable, or writes what is written already."""
    written = set(graph.inputs)
    for operator in graph.operators:
        for index in operator.inputs:
            tensor = graph.tensors[index]
            if index >= 0 and index not in written and not tensor.is_constant:
                kind = "a variable" if tensor.is_variable else "empty"
                raise ModelError(
                    f"operator {operator.index} ({operator.name}) reads {tensor.name!r}, which is "
                    f"{kind}. The C export keeps states in inputs and outputs alone."
                )
        for index in operator.outputs:
            if index in written:
                name = graph.tensors[index].name
                raise ModelError(
                    f"operator {operator.index} ({operator.name}) writes {name!r} over. The C "
                    "export needs a tensor of its own for every result."
                )
            written.add(index)


def _emit_endings(emitter: Emitter, contract: Contract, histories: dict[int, History]) -> None:
    """What follows the last operator: the mask, the states that are copied, the histories.

    Copies come first: a history's window may hold what they read.
    """
    places, tensors = emitter.storage.places, emitter.graph.tensors
    if places[contract.mask].block.room is not Room.MASK:
        emitter.call("memcpy", "out", emitter.place(contract.mask), tensors[contract.mask].bytes)
    for position, (state, new) in enumerate(zip(contract.states, contract.new_states, strict=True)):
        source = places[new].block
        if position in histories or emitter.lies_in_place(new, state, 0):
            continue
        if source.room is Room.STATE and source.position not in histories:
            raise ModelError(
                f"output {position + 1} passes on input {source.position + 1}; the C export "
                "copies no state to another. Expected a state that is computed."
            )
        emitter.call("memcpy", emitter.place(state), emitter.place(new), tensors[state].bytes)
    for history in histories.values():
        window = emitter.place(history.state)
        emitter.call("tfkd_shift", window, history.state_bytes, history.step_bytes)
