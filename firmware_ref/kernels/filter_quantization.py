"""Scales of a convolution: one factor s_x s_w / s_y per output channel, in double precision.

Source: PopulateConvolutionQuantizationParams in tensorflow/lite/kernels/kernel_util.cc.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.kernels.scaled_filter import OutputRange
from firmware_ref.model import TensorType
from firmware_ref.node import Node, View
from firmware_ref.options import Activation


def channel_factors(
    node: Node, x: View, weights: View, y: View, channels: int
) -> NDArray[np.float64]:
    """float64[channels]: s_x s_w[c] / s_y, the weights' scale per channel or per tensor.

    Raises:
        ModelError: a tensor is not quantised, or the scales do not match the channels.
    """
    for view in (x, weights, y):
        if view.tensor.quantization is None or view.scale <= 0:
            raise node.error(f"needs a scale above 0 for tensor {view.tensor.name!r}")
    quantization = weights.tensor.quantization
    scales = np.ones(1, np.float32) if quantization is None else quantization.scales
    if scales.size not in (1, channels):
        raise node.error(f"has {scales.size} weight scales for {channels} output channels")
    factors = float(x.scale) * scales.astype(np.float64) / float(y.scale)
    return np.broadcast_to(factors, (channels,)).copy()


def bias_values(
    node: Node,
    position: int,
    channels: int,
    int16_types: tuple[TensorType, ...] = (TensorType.INT32, TensorType.INT64),
) -> NDArray[np.int64]:
    """int64[channels]: the bias, zeros when the operator has none.

    An int8 input has an int32 bias; that of an int16 input is one of `int16_types`. TFLM would
    read the bytes of any other type as if they were of the expected one.
    """
    view = node.optional_input(position)
    if view is None:
        return np.zeros(channels, np.int64)
    bias = node.constant(position)
    types = int16_types if node.output().type is TensorType.INT16 else (TensorType.INT32,)
    if bias.size != channels or view.type not in types:
        raise node.error(
            f"has a bias of shape {bias.shape} and type {view.type}, expected {channels} values "
            f"of type {' or '.join(map(str, types))}"
        )
    return bias.reshape(-1).astype(np.int64)


def has_wide_accumulator(node: Node) -> bool:
    """Whether CONV_2D and FULLY_CONNECTED accumulate in int64 and round once.

    16x8 does, except with an int32 bias. Source: the bias types in micro/kernels/conv.cc and
    fully_connected.cc.
    """
    bias = node.optional_input(2)
    return node.input(0).type is TensorType.INT16 and (
        bias is None or bias.type is not TensorType.INT32
    )


def effective_zero_point(view: View) -> int:
    """The zero point that convolutions use: TFLM's take that of an int16 tensor as 0."""
    return view.zero_point if view.type is TensorType.INT8 else 0


def output_range(node: Node, activation: Activation, y: View, *, wide: bool) -> OutputRange:
    """Zero point and clamp of a convolution's output."""
    low, high = activation_range(node, activation, y)
    return OutputRange(effective_zero_point(y), low, high, wide)


def largest_magnitude(view: View) -> int:
    """Largest |q| of an integer type: 128 for int8, 32768 for int16."""
    return -int(np.iinfo(view.array.dtype).min)
