"""Builds .tflite models in code, with the schema that the TFLM wheel ships; no TensorFlow.

model = ModelBuilder()
main = model.subgraph()
x = main.tensor((1, 8), np.int8, scale=0.1, zero_point=3)
y = main.tensor((1, 8), np.int8, scale=1 / 256, zero_point=-128)
main.operator("LOGISTIC", [x], [y])
content = model.build(inputs=[x], outputs=[y])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flatbuffers
import numpy as np
from numpy.typing import ArrayLike, DTypeLike

RESOURCE = "resource"


def schema() -> Any:
    """The generated flatbuffer classes of the wheel."""
    from tflite_micro.tensorflow.lite.micro.python import schema_py_generated

    return schema_py_generated


class SubgraphBuilder:
    """Tensors and operators of one subgraph."""

    def __init__(self, model: ModelBuilder) -> None:
        self._model = model
        self.tensors: list[Any] = []
        self.operators: list[Any] = []
        self.inputs: list[int] = []
        self.outputs: list[int] = []

    def tensor(
        self,
        shape: Sequence[int],
        dtype: DTypeLike | str,
        *,
        scale: ArrayLike | None = None,
        zero_point: ArrayLike = 0,
        axis: int = 0,
        data: ArrayLike | None = None,
        is_variable: bool = False,
        name: str | None = None,
    ) -> int:
        """Add a tensor and return its index; `data` makes it a constant."""
        fb = schema()
        tensor = fb.TensorT()
        tensor.name = name or f"t{len(self.tensors)}"
        tensor.shape = [int(n) for n in shape]
        if isinstance(dtype, str) and dtype == RESOURCE:
            tensor.type = fb.TensorType.RESOURCE
        else:
            tensor.type = getattr(fb.TensorType, np.dtype(dtype).name.upper())
        tensor.isVariable = is_variable
        tensor.buffer = 0
        if data is not None:
            tensor.buffer = self._model.buffer(np.asarray(data, np.dtype(dtype)).tobytes())
        if scale is not None:
            quantization = fb.QuantizationParametersT()
            quantization.scale = np.atleast_1d(np.asarray(scale, np.float32)).tolist()
            zeros = np.broadcast_to(np.atleast_1d(zero_point), (len(quantization.scale),))
            quantization.zeroPoint = zeros.astype(np.int64).tolist()
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def operator(
        self,
        name: str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        options: str | None = None,
        intermediates: Sequence[int] | None = None,
        **fields: Any,
    ) -> None:
        """Add an operator; `options` names its table, such as "Conv2DOptions", `fields` fill it."""
        fb = schema()
        operator = fb.OperatorT()
        operator.opcodeIndex = self._model.operator_code(name)
        operator.inputs = list(inputs)
        operator.outputs = list(outputs)
        if intermediates is not None:
            operator.intermediates = list(intermediates)
        if options is not None:
            operator.builtinOptionsType = getattr(fb.BuiltinOptions, options)
            operator.builtinOptions = getattr(fb, options + "T")()
            for key, value in fields.items():
                if not hasattr(operator.builtinOptions, key):
                    raise ValueError(f"{options} has no field {key!r}")
                setattr(operator.builtinOptions, key, value)
        self.operators.append(operator)


class ModelBuilder:
    """A model under construction; the first subgraph is the main one."""

    def __init__(self) -> None:
        fb = schema()
        self._buffers: list[Any] = [fb.BufferT()]  # buffer 0 means "no data"
        self._codes: dict[str, int] = {}
        self._metadata: list[Any] = []
        self.subgraphs: list[SubgraphBuilder] = []

    def subgraph(self) -> SubgraphBuilder:
        """Add a subgraph."""
        self.subgraphs.append(SubgraphBuilder(self))
        return self.subgraphs[-1]

    def buffer(self, content: bytes) -> int:
        """Add a buffer and return its index."""
        buffer = schema().BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        self._buffers.append(buffer)
        return len(self._buffers) - 1

    def operator_code(self, name: str) -> int:
        """Index of the operator code of a builtin operator, added at its first use."""
        return self._codes.setdefault(name, len(self._codes))

    def metadata(self, name: str, content: bytes) -> None:
        """Add a metadata entry."""
        entry = schema().MetadataT()
        entry.name = name
        entry.buffer = self.buffer(content)
        self._metadata.append(entry)

    def build(self, inputs: Sequence[int], outputs: Sequence[int]) -> bytes:
        """Serialise, with the inputs and outputs of the main subgraph."""
        fb = schema()
        self.subgraphs[0].inputs = list(inputs)
        self.subgraphs[0].outputs = list(outputs)
        model = fb.ModelT()
        model.version = 3
        model.description = "built by firmware_ref's tests"
        model.buffers = self._buffers
        model.metadata = self._metadata or None
        model.operatorCodes = []
        for name in self._codes:
            code = fb.OperatorCodeT()
            code.builtinCode = getattr(fb.BuiltinOperator, name)
            code.deprecatedBuiltinCode = min(code.builtinCode, 127)
            code.version = 1
            model.operatorCodes.append(code)
        model.subgraphs = []
        for index, builder in enumerate(self.subgraphs):
            subgraph = fb.SubGraphT()
            subgraph.name = "main" if index == 0 else f"subgraph{index}"
            subgraph.tensors = builder.tensors
            subgraph.operators = builder.operators
            subgraph.inputs = builder.inputs
            subgraph.outputs = builder.outputs
            model.subgraphs.append(subgraph)
        packer = flatbuffers.Builder(1024)
        packer.Finish(model.Pack(packer), file_identifier=b"TFL3")
        return bytes(packer.Output())
