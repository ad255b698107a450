"""The contract of a streaming int8 .tflite, read from the file and checked.

Inputs: frame int8 [1, 1, bands, 1], then the states. Outputs: mask int8 [1, 1, bands, 1], then the
new states in the same order, each with the scale and zero point of its input. A stream starts with
every state at its zero point (real 0). TFLite Micro reuses the memory of the inputs, so all of them
are set before every invocation. The front end travels in the metadata entry "tfkd".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from firmware_ref.errors import FirmwareRefError
from firmware_ref.model import Model, Tensor, TensorType
from firmware_ref.reader import read_model
from tfkd.config import FrontEndConfig
from tfkd.errors import ModelError, NoFrontEndError

Int8 = NDArray[np.int8]
Floats = NDArray[np.float32]

METADATA_NAME = "tfkd"
METADATA_SCHEMA = 1


@dataclass(frozen=True)
class Affine:
    """Quantisation of a tensor: real = scale * (q - zero_point)."""

    scale: float
    zero_point: int

    def quantize(self, values: Floats) -> Int8:
        """Formula: clip(floor(x / scale + 0.5) + zero_point, -128, 127), in float32 as in C."""
        steps = np.floor(values.astype(np.float32) / np.float32(self.scale) + np.float32(0.5))
        return np.clip(steps + np.float32(self.zero_point), -128, 127).astype(np.int8)

    def dequantize(self, values_q: Int8) -> Floats:
        """Formula: scale * (q - zero_point)."""
        return (values_q.astype(np.float32) - np.float32(self.zero_point)) * np.float32(self.scale)


@dataclass(frozen=True)
class StreamingModel:
    """A checked streaming model: its bytes and what a caller must know to run it."""

    content: bytes
    name: str
    frontend: FrontEndConfig
    frame: Affine
    mask: Affine
    state_shapes: tuple[tuple[int, ...], ...]
    state_zero_points: tuple[int, ...]

    def initial_states_q(self) -> list[Int8]:
        """Every state at its zero point."""
        pairs = zip(self.state_shapes, self.state_zero_points, strict=True)
        return [np.full(shape, zero_point, np.int8) for shape, zero_point in pairs]


def read_streaming_model(path: str | Path) -> StreamingModel:
    """Read and check a .tflite.

    Raises:
        NoFrontEndError: without tfkd's metadata.
        ModelError: unreadable or damaged, or breaking the contract above.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from error
    return parse_streaming_model(content, path)


def parse_streaming_model(content: bytes, path: Path) -> StreamingModel:
    """Check the bytes of a .tflite; `path` names it in messages.

    Raises:
        ModelError: as `read_streaming_model`.
    """
    try:
        model = read_model(content)
    except FirmwareRefError as error:
        raise ModelError(f"{path}: is not a usable .tflite model: {error}") from error
    name, frontend = _metadata(model, path)
    graph = model.subgraphs[0]
    inputs = [graph.tensors[i] for i in graph.inputs]
    outputs = [graph.tensors[i] for i in graph.outputs]
    if len(inputs) != len(outputs) or not inputs:
        raise ModelError(
            f"{path}: a streaming model has as many outputs (mask, new states) as inputs (frame, "
            f"states). Received: {len(inputs)} inputs, {len(outputs)} outputs."
        )
    for tensor in (*inputs, *outputs):
        if tensor.type is not TensorType.INT8 or tensor.quantization is None:
            raise ModelError(
                f"{path}: all inputs and outputs must be quantised int8. "
                f"Received: {tensor.name or tensor.index} of type {tensor.type}."
            )
    expected = (1, 1, frontend.bands, 1)
    for role, tensor in (("frame", inputs[0]), ("mask", outputs[0])):
        if tensor.shape != expected:
            raise ModelError(
                f"{path}: the {role} must have shape {expected}, one value per band of the front "
                f"end. Received: {tensor.shape}."
            )
    for i, (old, new) in enumerate(zip(inputs[1:], outputs[1:], strict=True)):
        if (old.shape, _affine(old)) != (new.shape, _affine(new)):
            raise ModelError(
                f"{path}: state {i} must come out as it goes in. Received: {old.shape} "
                f"{_affine(old)} in, {new.shape} {_affine(new)} out."
            )
    return StreamingModel(
        content=content,
        name=name,
        frontend=frontend,
        frame=_affine(inputs[0]),
        mask=_affine(outputs[0]),
        state_shapes=tuple(tensor.shape for tensor in inputs[1:]),
        state_zero_points=tuple(tensor.zero_point for tensor in inputs[1:]),
    )


def _affine(tensor: Tensor) -> Affine:
    return Affine(float(tensor.scale), tensor.zero_point)


def _metadata(model: Model, path: Path) -> tuple[str, FrontEndConfig]:
    if METADATA_NAME not in model.metadata:
        raise NoFrontEndError(
            f"{path}: carries no '{METADATA_NAME}' metadata, so its front end is unknown. "
            f"Expected a model that `tfkd convert --tflite-micro` wrote. What any other costs on a "
            f"chip: python -m firmware_ref {path}; what it computes there: tfkd verify {path}"
        )
    try:
        entry: dict[str, Any] = json.loads(model.metadata[METADATA_NAME])
        if entry["schema"] != METADATA_SCHEMA:
            raise ModelError(
                f"{path}: its metadata has schema {entry['schema']}, this tfkd reads "
                f"{METADATA_SCHEMA}. Use the version of tfkd that wrote it, or convert again."
            )
        return str(entry["name"]), FrontEndConfig.model_validate(entry["frontend"])
    except (ValueError, KeyError, TypeError, ValidationError) as error:
        raise ModelError(f"{path}: its '{METADATA_NAME}' metadata is damaged ({error}).") from error
