"""The weights of an int8 .tflite back in a float model: what a training can begin with.

The converter keeps the order of the layers, so the convolutions of both are paired in that order.
"""

from __future__ import annotations

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from firmware_ref.errors import FirmwareRefError
from firmware_ref.model import Operator, Subgraph
from firmware_ref.reader import read_model
from tfkd.errors import ModelError

Floats = NDArray[np.float32]
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def read_int8_weights(deployed: keras.Model, content: bytes) -> None:
    """Give a model the weights of a .tflite that was converted from one of the same shape.

    Formula: w = s_w q_w per output channel, b = s_x s_w q_b, where s_x is the scale of the
    convolution's input.

    Args:
        deployed: a model in `Form.DEPLOYED`.
        content: a .tflite of `tfkd convert`.

    Raises:
        ModelError: the file cannot be read, or holds another model; the first difference is named.
    """
    try:
        subgraph = read_model(content).subgraphs[0]
    except FirmwareRefError as error:
        raise ModelError(f"no weights to begin with: {error}") from error
    operators = [op for op in subgraph.operators if op.name in CONVOLUTIONS]
    layers = [
        layer
        for layer in deployed.layers
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D))
    ]
    if len(operators) != len(layers):
        raise _other_model(f"{len(layers)} convolutions", str(len(operators)))
    weights = []
    for layer, operator in zip(layers, operators, strict=True):
        kernel, bias = _real_weights(subgraph, operator)
        expected = tuple(layer.get_weights()[0].shape)
        if kernel.shape != expected:
            raise _other_model(
                f"a kernel of shape {expected} in layer '{layer.name}'", str(kernel.shape)
            )
        weights.append([kernel, bias])
    for layer, values in zip(layers, weights, strict=True):
        layer.set_weights(values)


def _real_weights(subgraph: Subgraph, operator: Operator) -> tuple[Floats, Floats]:
    """Kernel in Keras' layout, [k_t, k_f, in, out] or [k_t, k_f, channels, 1], and bias."""
    x, weights, bias = (subgraph.tensors[index] for index in operator.inputs)
    if weights.data is None or bias.data is None or weights.quantization is None:
        raise _other_model("constant, quantised weights", f"none in operator {operator.index}")
    depthwise = operator.name == "DEPTHWISE_CONV_2D"
    scales = weights.quantization.scales  # per channel: of the last axis if depthwise, else first
    along = scales if depthwise else scales[:, np.newaxis, np.newaxis, np.newaxis]
    kernel = weights.data.astype(np.float32) * along
    kernel = np.transpose(
        kernel, (1, 2, 3, 0)
    )  # [1 | out, k_t, k_f, in] -> [k_t, k_f, in, 1 | out]
    return kernel, bias.data.reshape(-1).astype(np.float32) * (x.scale * scales)


def _other_model(expected: str, received: str) -> ModelError:
    return ModelError(
        f"the weights to begin with are those of another model. Expected: {expected}. Received: "
        f"{received}. Name a model that was made from the same preset and the same model keys."
    )
