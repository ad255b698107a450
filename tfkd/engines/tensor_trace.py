"""Every intermediate tensor of one invocation, from each int8 engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from firmware_ref.arena.model_buffers import OFFLINE_METADATA
from firmware_ref.interpreter import Interpreter
from firmware_ref.model import Model, TensorType
from firmware_ref.observe import TensorDump
from firmware_ref.reader import read_model
from tfkd.engines.streaming_model import Int8, StreamingModel
from tfkd.engines.tflm import import_runtime
from tfkd.errors import ModelError

Array = NDArray[Any]
Trace = Callable[[Sequence[Array]], dict[int, Array]]
"""Inputs of one invocation -> content of every tensor that an operator writes, by tensor index."""


class ModelFile(Protocol):
    """What a trace needs of a model: the bytes of the .tflite."""

    @property
    def content(self) -> bytes: ...


def computed_tensors(model: Model) -> list[int]:
    """Indices of the main graph's tensors that operators write, in order of execution.

    Handles of resource variables are left out: they are no data.
    """
    graph = model.subgraphs[0]
    return [
        index
        for operator in graph.operators
        for index in operator.outputs
        if graph.tensors[index].type is not TensorType.RESOURCE
    ]


def streamed(trace: Trace, model: StreamingModel) -> Callable[[Int8], dict[int, Array]]:
    """A function from the next frame int8 [bands] to its trace; it carries the states along."""
    outputs = read_model(model.content).subgraphs[0].outputs
    states_q: list[Array] = list(model.initial_states_q())

    def step(frame_q: Int8) -> dict[int, Array]:
        tensors = trace([frame_q.reshape(1, 1, -1, 1), *states_q])
        states_q[:] = [tensors[index] for index in outputs[1:]]
        return tensors

    return step


def firmware_ref_trace(model: ModelFile) -> Trace:
    interpreter = Interpreter(model_content=model.content)
    interpreter.allocate_tensors()
    dump = TensorDump()
    interpreter.observe(dump)
    tensors = computed_tensors(interpreter.model)

    def trace(inputs: Sequence[Array]) -> dict[int, Array]:
        for index, value in zip(interpreter.model.subgraphs[0].inputs, inputs, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return {index: dump.tensors[0, index] for index in tensors}

    return trace


def tflm_trace(model: ModelFile) -> Trace:
    runtime = import_runtime()
    parsed = read_model(model.content)
    tensors = computed_tensors(parsed)
    # Nothing shares memory here, so the arena holds every activation at once; a plan in the file,
    # which says what shares it, would contradict that.
    content = model.content.replace(OFFLINE_METADATA.encode(), bytes(len(OFFLINE_METADATA)))
    activations = sum(parsed.subgraphs[0].tensors[index].bytes + 16 for index in tensors)
    try:
        interpreter = runtime.Interpreter.from_bytes(
            content,
            arena_size=2 * activations + 4 * len(model.content) + (1 << 20),
            intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
        )
    except RuntimeError as error:
        raise ModelError(f"TFLite Micro refuses the model: {error}") from error

    def trace(inputs: Sequence[Array]) -> dict[int, Array]:
        for index, value in enumerate(inputs):
            interpreter.set_input(value, index)
        interpreter.invoke()
        return {t: np.array(interpreter.GetTensor(t, 0)["tensor_data"]) for t in tensors}

    return trace


def tflite_trace(model: ModelFile) -> Trace:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=model.content,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    indices = [detail["index"] for detail in interpreter.get_input_details()]
    tensors = computed_tensors(read_model(model.content))

    def trace(inputs: Sequence[Array]) -> dict[int, Array]:
        for index, value in zip(indices, inputs, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return {index: interpreter.get_tensor(index) for index in tensors}

    return trace


TRACES: dict[str, Callable[[ModelFile], Trace]] = {
    "tflm": tflm_trace,
    "tflite": tflite_trace,
    "firmware-ref": firmware_ref_trace,
}
