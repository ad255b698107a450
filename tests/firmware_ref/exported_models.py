"""Models that the C export is held to, and what firmware_ref computes for a stream of frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from streaming_student import streaming_student

from firmware_ref import Interpreter, Model

REPOSITORY = Path(__file__).parent.parent.parent
RELEASED = {
    path.parent.name: path for path in sorted((REPOSITORY / "tflite").glob("*/model.tflite"))
}
SYNTHETIC = "synthetic"
EXPORTED = [SYNTHETIC, *RELEASED]
"""Names of models: a student of another shape, and all that are released."""

Int8 = NDArray[np.int8]


def content_of(name: str) -> bytes:
    """The .tflite file of a name in EXPORTED."""
    return streaming_student() if name == SYNTHETIC else RELEASED[name].read_bytes()


def frames_of(model: Model, count: int) -> Int8:
    """Random frames [count, *shape of the first input]."""
    shape = model.subgraphs[0].tensors[model.subgraphs[0].inputs[0]].shape
    return np.random.default_rng(3).integers(-128, 128, (count, *shape)).astype(np.int8)


def initial_states(model: Model) -> list[Int8]:
    """Every state at its zero point."""
    graph = model.subgraphs[0]
    tensors = [graph.tensors[i] for i in graph.inputs[1:]]
    return [np.full(tensor.shape, tensor.zero_point, np.int8) for tensor in tensors]


def reference(content: bytes, model: Model, frames_q: Int8) -> tuple[Int8, list[list[Int8]]]:
    """firmware_ref's masks, and what it was given: every input of every frame.

    `model` names inputs and outputs in the order of the contract.
    """
    interpreter = Interpreter(model_content=content)
    interpreter.allocate_tensors()
    graph = model.subgraphs[0]
    states = initial_states(model)
    masks, given = [], []
    for frame_q in frames_q:
        given.append([frame_q, *states])
        for index, value in zip(graph.inputs, given[-1], strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        mask, *states = [interpreter.get_tensor(index) for index in graph.outputs]
        masks.append(mask.reshape(-1))
    return np.stack(masks), given
