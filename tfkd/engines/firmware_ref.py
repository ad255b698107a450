"""firmware_ref: TFLite Micro's arithmetic in NumPy, on any platform."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from firmware_ref.interpreter import Interpreter
from tfkd.engines.int8_engine import InvokedEngine
from tfkd.engines.streaming_model import Int8, StreamingModel


class FirmwareRefEngine(InvokedEngine):
    """Computes the same bits as TFLite Micro.

    Raises:
        firmware_ref.errors.FirmwareRefError: the model asks for what firmware_ref lacks.
    """

    def __init__(self, model: StreamingModel) -> None:
        super().__init__(model)
        interpreter = Interpreter(model_content=model.content)
        interpreter.allocate_tensors()
        self._interpreter = interpreter
        graph = interpreter.model.subgraphs[0]
        self._inputs = [interpreter.tensor_view(index) for index in graph.inputs]
        self._outputs = [interpreter.tensor_view(index) for index in graph.outputs]

    def invoke(self, inputs_q: Sequence[Int8]) -> list[Int8]:
        for view, value in zip(self._inputs, inputs_q, strict=True):
            np.copyto(view, value)
        self._interpreter.invoke()
        return [view.copy() for view in self._outputs]
