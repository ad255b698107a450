"""Where int8 noise enters: every activation of a run's int8 model against the same in float.

Both sides hold the same weights, those of the quantisation-aware phase, and hear the same features.
What differs is the arithmetic: int8 weights, activations and states in the .tflite, float32 in
Keras.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from firmware_ref.model import Subgraph
from firmware_ref.reader import read_model
from tfkd.engines.streaming_model import Affine, StreamingModel
from tfkd.engines.tensor_trace import firmware_ref_trace, streamed
from tfkd.errors import ModelError
from tfkd.models.blocks import Form
from tfkd.models.dae import MASK, QUANTIZED, build_dae
from tfkd.quantize import weight_of
from tfkd.train.run_directory import RunDirectory
from tfkd.train.session import load_quantized

Floats = NDArray[np.float32]

_OPERATORS = {  # layer -> what the converter makes of it
    keras.layers.Conv2D: "CONV_2D",
    keras.layers.DepthwiseConv2D: "DEPTHWISE_CONV_2D",
    keras.layers.Add: "ADD",
}


@dataclass(frozen=True)
class TensorNoise:
    """What int8 leaves of one activation.

    Args:
        layer: name in the Keras model.
        operator: that writes it in the .tflite.
        shape: (bands, channels).
        scale: real size of one int8 step.
        snr_db: 10 log10(sum x^2 / sum (x - x_int8)^2) over all frames; inf where both are equal.
    """

    layer: str
    operator: str
    shape: tuple[int, int]
    scale: float
    snr_db: float


def quantization_noise(
    run: RunDirectory,
    model: StreamingModel,
    features: Floats,
    advance: Callable[[float], None] = lambda frames: None,
) -> list[TensorNoise]:
    """SNR of every activation, in the order in which the model computes them.

    Args:
        run: a trained student.
        model: what `tfkd convert` made of it.
        features: [frames, bands] in [-1, 1].
        advance: is told the number of frames done since its last call.

    Raises:
        RunError: the run has no quantisation-aware weights.
        ModelError: the .tflite was not made from this run.
    """
    network = deployed_float(run, len(features))
    activations = _activations(network)
    graph = read_model(model.content).subgraphs[0]
    tensors = [graph.tensors[index] for index in _written(activations, graph)]
    probe = keras.Model(network.inputs, [output for _, _, output in activations])
    values = probe(features[np.newaxis, :, :, np.newaxis], training=False)
    expected = [value.numpy()[0] for value in values]  # each [frames, bands, channels]
    noise = np.zeros(len(tensors))
    step = streamed(firmware_ref_trace(model), model)
    for frame, frame_q in enumerate(model.frame.quantize(features)):
        contents_q = step(frame_q)
        for i, tensor in enumerate(tensors):
            content_q = contents_q[tensor.index][0, 0]  # [bands, channels]
            received = Affine(float(tensor.scale), tensor.zero_point).dequantize(content_q)
            noise[i] += np.sum(np.square(expected[i][frame] - received, dtype=np.float64))
        advance(1)
    return [
        TensorNoise(
            layer,
            operator,
            (tensor.shape[2], tensor.shape[3]),
            float(tensor.scale),
            _decibels(float(np.sum(np.square(reference, dtype=np.float64))), float(power)),
        )
        for (layer, operator, _), tensor, reference, power in zip(
            activations, tensors, expected, noise, strict=True
        )
    ]


def deployed_float(run: RunDirectory, frames: int) -> keras.Model:
    """The deployed model with the quantisation-aware phase's weights, in plain float.

    Raises:
        RunError: the run has no quantisation-aware weights.
    """
    quantized = load_quantized(run)
    network = build_dae(run.config.model, Form.DEPLOYED, frames=frames)
    for layer in network.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            wrapped = quantized.get_layer(QUANTIZED + layer.name)
            layer.set_weights([weight_of(wrapped).numpy(), wrapped.layer.bias.numpy()])
    return network


def _activations(network: keras.Model) -> list[tuple[str, str, keras.KerasTensor]]:
    """(layer, operator, output) of what int8 computes: a ReLU6 belongs to its convolution."""
    after = {
        layer.input.node.layer.name: layer.output
        for layer in network.layers
        if isinstance(layer, keras.layers.ReLU)
    }
    rows = []
    for layer in network.layers:
        if type(layer) in _OPERATORS:
            output = after.get(layer.name, layer.output)
            rows.append((layer.name, _OPERATORS[type(layer)], output))
    return [*rows, (MASK, "LOGISTIC", network.output)]


def _written(activations: list[tuple[str, str, keras.KerasTensor]], graph: Subgraph) -> list[int]:
    """Index of each activation's tensor: the converter keeps the layers' order."""
    wanted = {operator for _, operator, _ in activations}
    written = [op for op in graph.operators if op.name in wanted]
    found = [(op.name, tuple(graph.tensors[op.outputs[0]].shape[2:])) for op in written]
    expected = [(operator, tuple(output.shape[2:])) for _, operator, output in activations]
    if found != expected:
        raise ModelError(
            f"the .tflite was not made from this run: expected {len(expected)} operators for the "
            f"run's layers, found {len(found)}, or others in another order. Convert the run again: "
            f"tfkd convert --tflite-micro"
        )
    return [op.outputs[0] for op in written]


def _decibels(signal: float, noise: float) -> float:
    if noise == 0.0:
        return math.inf
    return 10.0 * math.log10(signal / noise) if signal > 0.0 else -math.inf
