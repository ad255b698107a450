"""The weights of an int8 .tflite back in a float model: what a training can begin with.

The converter keeps the order of the layers, so the convolutions of both are paired in that order.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import tf_keras as keras
from numpy.typing import NDArray

from firmware_ref.errors import FirmwareRefError
from firmware_ref.model import Operator, Subgraph
from firmware_ref.options import Conv2DOptions, DepthwiseConv2DOptions
from firmware_ref.reader import read_model
from tfkd.errors import ModelError
from tfkd.models.blocks import convolution_layers

Floats = NDArray[np.float32]
CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


def read_int8_weights(deployed: keras.Model, path: Path, name: str | None = None) -> None:
    """Give a model the weights of a .tflite that was converted from one of the same shape.

    Formula: w = s_w q_w per output channel, b = s_x s_w q_b, where s_x is the scale of the
    convolution's input.

    Args:
        deployed: a model in `Form.DEPLOYED`.
        path: a .tflite of `tfkd convert`.
        name: what messages call it; None: the path.

    Raises:
        ModelError: the file cannot be read, or holds another model; the first difference is named.
    """
    name = name or str(path)
    try:
        subgraph = read_model(path.read_bytes()).subgraphs[0]
    except FirmwareRefError as error:
        raise ModelError(
            f"{name}: cannot be read. {error} Expected a model that `tfkd convert` made."
        ) from error
    operators = [op for op in subgraph.operators if op.name in CONVOLUTIONS]
    layers = convolution_layers(deployed)
    if len(operators) != len(layers):
        raise _other_model(name, f"{len(layers)} convolutions", str(len(operators)))
    weights = []
    for layer, operator in zip(layers, operators, strict=True):
        real = _real_weights(subgraph, operator)
        if real is None:
            raise _other_model(name, "constant, quantised weights and a bias", operator.name)
        kernel, _ = real
        for what, expected, received in (
            ("a kernel of shape", tuple(layer.get_weights()[0].shape), kernel.shape),
            ("strides", tuple(layer.strides), _strides(operator)),
            ("dilations", tuple(layer.dilation_rate), _dilations(operator)),
        ):
            if received != expected:
                raise _other_model(
                    name, f"{what} {expected} in layer '{layer.name}'", str(received)
                )
        weights.append(real)
    for layer, values in zip(layers, weights, strict=True):
        layer.set_weights(values)


def _real_weights(subgraph: Subgraph, operator: Operator) -> tuple[Floats, Floats] | None:
    """Kernel in Keras' layout, [k_t, k_f, in, out] or [k_t, k_f, channels, 1], and bias; None if
    they are no constants."""
    if len(operator.inputs) != 3 or -1 in operator.inputs:
        return None
    x, weights, bias = (subgraph.tensors[index] for index in operator.inputs)
    if weights.data is None or bias.data is None or weights.quantization is None:
        return None
    depthwise = operator.name == "DEPTHWISE_CONV_2D"
    scales = weights.quantization.scales  # per channel: of the last axis if depthwise, else first
    along = scales if depthwise else scales[:, np.newaxis, np.newaxis, np.newaxis]
    kernel = weights.data.astype(np.float32) * along
    kernel = np.transpose(
        kernel, (1, 2, 3, 0)
    )  # [1 | out, k_t, k_f, in] -> [k_t, k_f, in, 1 | out]
    return kernel, bias.data.reshape(-1).astype(np.float32) * (x.scale * scales)


def _strides(operator: Operator) -> tuple[int, int]:
    options = cast(Conv2DOptions | DepthwiseConv2DOptions, operator.options)
    return options.stride_h, options.stride_w


def _dilations(operator: Operator) -> tuple[int, int]:
    options = cast(Conv2DOptions | DepthwiseConv2DOptions, operator.options)
    return options.dilation_h_factor, options.dilation_w_factor


def _other_model(name: str, expected: str, received: str) -> ModelError:
    return ModelError(
        f"{name}: has the weights of another model. Expected: {expected}. Received: "
        f"{received}. Name a model that was made from the same preset and the same model keys."
    )
