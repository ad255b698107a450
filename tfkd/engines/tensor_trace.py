"""Every intermediate tensor of one invocation, from each int8 engine."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from firmware_ref.interpreter import Interpreter
from firmware_ref.model import Model
from firmware_ref.observe import TensorDump
from firmware_ref.reader import read_model
from tfkd.engines.streaming_model import Int8, StreamingModel
from tfkd.engines.tflm import import_runtime

Trace = Callable[[Sequence[Int8]], dict[int, Int8]]
"""Inputs of one invocation -> content of every tensor that an operator writes, by tensor index."""


def computed_tensors(model: Model) -> list[int]:
    """Indices of the tensors that operators write, in order of execution."""
    return [index for operator in model.subgraphs[0].operators for index in operator.outputs]


def firmware_ref_trace(model: StreamingModel) -> Trace:
    interpreter = Interpreter(model_content=model.content)
    interpreter.allocate_tensors()
    dump = TensorDump()
    interpreter.observe(dump)

    def trace(inputs_q: Sequence[Int8]) -> dict[int, Int8]:
        for index, value in zip(interpreter.model.subgraphs[0].inputs, inputs_q, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return {tensor: content for (_, tensor), content in dump.tensors.items()}

    return trace


def tflm_trace(model: StreamingModel) -> Trace:
    runtime = import_runtime()
    parsed = read_model(model.content)
    tensors = computed_tensors(parsed)
    # Nothing shares memory here, so the arena holds every activation at once.
    activations = sum(parsed.subgraphs[0].tensors[index].bytes + 16 for index in tensors)
    interpreter = runtime.Interpreter.from_bytes(
        model.content,
        arena_size=2 * activations + 4 * len(model.content) + (1 << 20),
        intrepreter_config=runtime.InterpreterConfig.kPreserveAllTensors,
    )

    def trace(inputs_q: Sequence[Int8]) -> dict[int, Int8]:
        for index, value in enumerate(inputs_q):
            interpreter.set_input(value, index)
        interpreter.invoke()
        return {t: np.array(interpreter.GetTensor(t, 0)["tensor_data"]) for t in tensors}

    return trace


def tflite_trace(model: StreamingModel) -> Trace:
    import tensorflow as tf

    interpreter = tf.lite.Interpreter(
        model_content=model.content,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        experimental_preserve_all_tensors=True,
    )
    interpreter.allocate_tensors()
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    tensors = computed_tensors(read_model(model.content))

    def trace(inputs_q: Sequence[Int8]) -> dict[int, Int8]:
        for index, value in zip(inputs, inputs_q, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return {index: interpreter.get_tensor(index) for index in tensors}

    return trace


TRACES: dict[str, Callable[[StreamingModel], Trace]] = {
    "tflm": tflm_trace,
    "tflite": tflite_trace,
    "firmware-ref": firmware_ref_trace,
}
