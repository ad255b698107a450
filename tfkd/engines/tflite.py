"""TensorFlow Lite's reference kernels: TFLite Micro's bits, FULLY_CONNECTED excepted."""

from __future__ import annotations

from collections.abc import Sequence

import tensorflow as tf

from tfkd.engines.int8_engine import InvokedEngine
from tfkd.engines.streaming_model import Int8, StreamingModel


class TfliteEngine(InvokedEngine):
    """Runs reference kernels; TFLite's default ones are up to 12 LSB off on a whole model."""

    def __init__(self, model: StreamingModel) -> None:
        super().__init__(model)
        self._interpreter = tf.lite.Interpreter(
            model_content=model.content,
            experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
        )
        self._interpreter.allocate_tensors()
        self._inputs = [detail["index"] for detail in self._interpreter.get_input_details()]
        self._outputs = [detail["index"] for detail in self._interpreter.get_output_details()]

    def invoke(self, inputs_q: Sequence[Int8]) -> list[Int8]:
        interpreter = self._interpreter
        for index, value in zip(self._inputs, inputs_q, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        return [interpreter.get_tensor(index) for index in self._outputs]
