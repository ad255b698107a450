"""Rewrite a .tflite smaller without changing what it computes.

TensorFlow's converter writes 24 bytes of scale and zero point per output channel for weights and
again for biases, a name for every tensor and unshared vectors. TFLite Micro reads neither names nor
the quantisation of biases (a bias has scale input x filter and zero point 0 by definition), so:

- equal vectors are stored once;
- only graph inputs and outputs keep their names;
- biases lose their quantisation, all tensors their min and max;
- the converter's own metadata and signature are dropped, tfkd's entry is added.

The data of every tensor, every scale that is used and all operators stay as they are; a test holds
the outputs equal.
"""

from __future__ import annotations

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

FILE_IDENTIFIER = b"TFL3"


class SharingBuilder(flatbuffers.Builder):
    """A flatbuffer builder that stores equal NumPy vectors and strings once."""

    def __init__(self) -> None:
        super().__init__(1 << 16)
        self._vectors: dict[tuple[str, bytes], int] = {}

    def CreateNumpyVector(self, x):  # noqa: N802 (overrides flatbuffers' name)
        key = (x.dtype.str, x.tobytes())
        if key not in self._vectors:
            self._vectors[key] = super().CreateNumpyVector(x)
        return self._vectors[key]


def slim_tflite(content: bytes, metadata: dict[str, bytes]) -> bytes:
    """Rewrite a single-graph .tflite with shared vectors and without what TFLite Micro does not
    read.

    Args:
        content: a .tflite flatbuffer.
        metadata: entries to store in it, name -> bytes; they replace all others.

    Returns:
        A smaller flatbuffer that computes the same.
    """
    model = schema.ModelT.InitFromPackedBuf(content)
    model.description = None
    model.signatureDefs = None
    for graph in model.subgraphs:
        graph.name = None
        biases = {
            operator.inputs[2]
            for operator in graph.operators
            if len(operator.inputs) == 3 and _has_bias(model, operator)
        }
        borders = {*graph.inputs, *graph.outputs}
        for index, tensor in enumerate(graph.tensors):
            if index not in borders:
                tensor.name = None
            tensor.shapeSignature = None
            if tensor.quantization is None:
                continue
            tensor.quantization.min = tensor.quantization.max = None
            if index in biases:
                tensor.quantization = None
    _store_metadata(model, metadata)
    builder = SharingBuilder()
    builder.Finish(model.Pack(builder), file_identifier=FILE_IDENTIFIER)
    return bytes(builder.Output())


def _has_bias(model: schema.ModelT, operator: schema.OperatorT) -> bool:
    code = model.operatorCodes[operator.opcodeIndex].builtinCode
    builtin = schema.BuiltinOperator
    return code in (builtin.CONV_2D, builtin.DEPTHWISE_CONV_2D, builtin.FULLY_CONNECTED)


def _store_metadata(model: schema.ModelT, metadata: dict[str, bytes]) -> None:
    """Replace all metadata; buffers that nothing refers to any more become empty."""
    used = {0} | {tensor.buffer for graph in model.subgraphs for tensor in graph.tensors}
    for index, buffer in enumerate(model.buffers):
        if index not in used:
            buffer.data = None
    model.metadataBuffer = None
    model.metadata = []
    for name, content in metadata.items():
        entry, buffer = schema.MetadataT(), schema.BufferT()
        buffer.data = np.frombuffer(content, np.uint8)
        entry.name, entry.buffer = name, len(model.buffers)
        model.buffers.append(buffer)
        model.metadata.append(entry)
