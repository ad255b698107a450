"""TFLite Micro itself, from the tflite-micro wheel (Linux on x86-64)."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType

from tfkd.engines.int8_engine import InvokedEngine
from tfkd.engines.streaming_model import Int8, StreamingModel
from tfkd.errors import MissingPackageError, ModelError

ARENA_BYTES = 4 << 20  # ample for every model that a microcontroller holds


def import_runtime() -> ModuleType:
    """The wheel's Python module.

    Raises:
        MissingPackageError: the wheel is not installed.
    """
    try:
        from tflite_micro import runtime
    except ImportError as error:
        raise MissingPackageError(
            "TFLite Micro cannot run: the package tflite-micro is not installed (it exists for "
            "Linux on x86-64 only). Install the pinned requirements, or use the engine "
            "firmware-ref, which computes the same bits."
        ) from error
    module: ModuleType = runtime
    return module


class TflmEngine(InvokedEngine):
    """Runs the model as a microcontroller does.

    Raises:
        MissingPackageError: the wheel is not installed.
        ModelError: TFLite Micro refuses the model; the reason is in the message.
    """

    def __init__(self, model: StreamingModel) -> None:
        super().__init__(model)
        try:
            self._interpreter = import_runtime().Interpreter.from_bytes(
                model.content, arena_size=ARENA_BYTES
            )
        except RuntimeError as error:
            raise ModelError(f"TFLite Micro refuses the model: {error}") from error

    def invoke(self, inputs_q: Sequence[Int8]) -> list[Int8]:
        interpreter = self._interpreter
        for index, value in enumerate(inputs_q):
            interpreter.set_input(value, index)
        interpreter.invoke()
        return [interpreter.get_output(index) for index in range(len(inputs_q))]
