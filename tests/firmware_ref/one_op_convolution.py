"""Models of CONV_2D, DEPTHWISE_CONV_2D, TRANSPOSE_CONV and FULLY_CONNECTED, int8 and 16x8."""

from __future__ import annotations

from functools import partial

import numpy as np
from draws import Rng, activation, quantised, scale, scale_of, sizes, values
from model_builder import ModelBuilder, SubgraphBuilder
from numpy.typing import DTypeLike
from one_op_case import Case, Draw, case, one_op_graph

_SAME, _VALID = 0, 1


def _filter_and_bias(
    graph: SubgraphBuilder,
    rng: Rng,
    x: int,
    y: int,
    shape: tuple[int, ...],
    channel_axis: int,
    dtype: DTypeLike,
    *,
    per_channel: bool,
    bias_type: DTypeLike | None = None,
    optional_bias: bool = True,
) -> tuple[int, int]:
    """A filter whose requantisation factor is drawn (tiny to above 1), and a bias or -1.

    The factor s_x s_w / s_y spreads the accumulators over the output's range, or saturates them.
    """
    channels = shape[channel_axis]
    depth = int(np.prod(shape)) // channels
    limits = np.iinfo(dtype)
    usual = 2.0**-7 * limits.max / (limits.max * np.sqrt(depth))
    count = channels if per_channel else 1
    factors = usual * np.exp(rng.uniform(-4, 1.5, count))
    if rng.integers(8) == 0:
        factors[rng.integers(count)] = rng.choice([2.0**-20, 1.5, 1.0, 2.0**-34])
    weight_scales = (factors * scale_of(graph, y) / scale_of(graph, x)).astype(np.float32)
    data = np.clip(values(rng, shape, np.int8), -127, 127)
    weights = graph.tensor(
        shape, np.int8, scale=weight_scales, zero_point=0, axis=channel_axis, data=data
    )
    if optional_bias and rng.integers(4) == 0:
        return weights, -1
    spread = min(int(127 * limits.max * np.sqrt(depth)), 2**30)
    if bias_type is None:
        bias_type = np.int32 if np.dtype(dtype) == np.int8 else np.int64
    spread = min(spread, np.iinfo(bias_type).max - 1)
    bias = graph.tensor(
        (channels,),
        bias_type,
        scale=(weight_scales * np.float32(scale_of(graph, x))).astype(np.float32),
        zero_point=0,
        data=rng.integers(-spread, spread + 1, channels),
    )
    return weights, bias


def _int16_zero_points(
    graph: SubgraphBuilder, rng: Rng, dtype: DTypeLike, tensors: tuple[int, ...]
) -> None:
    """Now and then, zero points that int16 should not have: convolutions take them as 0."""
    if np.dtype(dtype) == np.int16 and rng.integers(6) == 0:
        for tensor in tensors:
            graph.tensors[tensor].quantization.zeroPoint = [int(rng.integers(-300, 301))]


def _window_output(size: int, window: int, stride: int, dilation: int, padding: int) -> int:
    effective = (window - 1) * dilation + 1
    return -(-size // stride) if padding == _SAME else -(-(size - effective + 1) // stride)


def _geometry(rng: Rng) -> tuple[list[int], list[int], list[int], list[int], list[int], int]:
    """Input, window, stride, dilation, output (height, width each) and padding."""
    padding = int(rng.integers(2))
    dilation = [int(d) for d in rng.choice([1, 1, 2, 3], 2)]
    stride = [int(s) for s in rng.integers(1, 4, 2)]
    window = [int(k) for k in rng.integers(1, 5, 2)]
    smallest = [(k - 1) * d + 1 if padding == _VALID else 1
                for k, d in zip(window, dilation, strict=True)]  # fmt: skip
    size = [int(n + rng.integers(0, 7)) for n in smallest]
    output = [
        _window_output(n, k, s, d, padding)
        for n, k, s, d in zip(size, window, stride, dilation, strict=True)
    ]
    return size, window, stride, dilation, output, padding


def _conv_2d(
    rng: Rng, dtype: DTypeLike, *, groups: bool = False, bias_type: DTypeLike | None = None
) -> Case:
    model, graph = one_op_graph()
    size, window, stride, dilation, output, padding = _geometry(rng)
    batch, group_depth, group_outputs = sizes(rng, 3, 1, 5)
    group_count = int(rng.integers(2, 4)) if groups else 1
    channels, outputs = group_depth * group_count, group_outputs * group_count
    x = quantised(graph, rng, (batch, *size, channels), dtype)
    y = quantised(graph, rng, (batch, *output, outputs), dtype)
    weights, bias = _filter_and_bias(
        graph, rng, x, y, (outputs, *window, group_depth), 0, dtype,
        per_channel=bool(rng.integers(2)), bias_type=bias_type,
    )  # fmt: skip
    graph.operator(
        "CONV_2D", [x, weights, bias] if bias >= 0 else [x, weights], [y],
        options="Conv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
        dilationHFactor=dilation[0], dilationWFactor=dilation[1],
        fusedActivationFunction=activation(rng),
    )  # fmt: skip
    _int16_zero_points(graph, rng, dtype, (x, y))
    return case(model, rng, [x], [y])


def _depthwise_conv_2d(rng: Rng, dtype: DTypeLike) -> Case:
    model, graph = one_op_graph()
    size, window, stride, dilation, output, padding = _geometry(rng)
    batch, channels = sizes(rng, 2, 1, 6)
    multiplier = int(rng.choice([1, 1, 2, 3]))
    x = quantised(graph, rng, (batch, *size, channels), dtype)
    y = quantised(graph, rng, (batch, *output, channels * multiplier), dtype)
    weights, bias = _filter_and_bias(
        graph, rng, x, y, (1, *window, channels * multiplier), 3, dtype,
        per_channel=bool(rng.integers(2)),
    )  # fmt: skip
    graph.operator(
        "DEPTHWISE_CONV_2D", [x, weights, bias] if bias >= 0 else [x, weights], [y],
        options="DepthwiseConv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
        dilationHFactor=dilation[0], dilationWFactor=dilation[1], depthMultiplier=multiplier,
        fusedActivationFunction=activation(rng),
    )  # fmt: skip
    _int16_zero_points(graph, rng, dtype, (x, y))
    return case(model, rng, [x], [y])


def _transpose_conv(rng: Rng, dtype: DTypeLike, *, bias_type: DTypeLike | None = None) -> Case:
    model, graph = one_op_graph()
    batch, height, width, channels, outputs = sizes(rng, 5, 1, 5)
    window = [int(k) for k in rng.integers(1, 5, 2)]
    stride = [int(s) for s in rng.integers(1, 4, 2)]
    padding = int(rng.integers(2))
    output = [
        (n - 1) * s + k if padding == _VALID else n * s
        for n, s, k in zip((height, width), stride, window, strict=True)
    ]
    x = quantised(graph, rng, (batch, height, width, channels), dtype)
    y = quantised(graph, rng, (batch, *output, outputs), dtype)
    weights, bias = _filter_and_bias(
        graph, rng, x, y, (outputs, *window, channels), 0, dtype,
        per_channel=bool(rng.integers(2)), bias_type=bias_type,
    )  # fmt: skip
    shape = graph.tensor((4,), np.int32, data=[batch, *output, outputs])
    graph.operator(
        "TRANSPOSE_CONV", [shape, weights, x, bias] if bias >= 0 else [shape, weights, x], [y],
        options="TransposeConvOptions", padding=padding, strideH=stride[0], strideW=stride[1],
        fusedActivationFunction=activation(rng),
    )  # fmt: skip
    _int16_zero_points(graph, rng, dtype, (x, y))
    return case(model, rng, [x], [y])


def _fully_connected(
    rng: Rng,
    dtype: DTypeLike,
    *,
    weight_zero_point: bool = False,
    bias_type: DTypeLike | None = None,
) -> Case:
    model, graph = one_op_graph()
    depth, outputs = (int(n) for n in rng.integers(1, 33, 2))
    outer = sizes(rng, int(rng.integers(1, 4)), 1, 3)
    keep_num_dims = bool(rng.integers(2))
    rows = int(np.prod(outer))
    out_shape = (*outer, outputs) if keep_num_dims else (rows, outputs)
    x = quantised(graph, rng, (*outer, depth), dtype)
    y = quantised(graph, rng, out_shape, dtype)
    weights, bias = _filter_and_bias(
        graph, rng, x, y, (outputs, depth), 0, dtype,
        per_channel=bool(rng.integers(2)), bias_type=bias_type,
    )  # fmt: skip
    if weight_zero_point:
        zero_points = graph.tensors[weights].quantization.zeroPoint
        graph.tensors[weights].quantization.zeroPoint = [int(rng.integers(-20, 21))] * len(
            zero_points
        )
    graph.operator(
        "FULLY_CONNECTED", [x, weights, bias], [y], options="FullyConnectedOptions",
        fusedActivationFunction=activation(rng), keepNumDims=keep_num_dims,
    )  # fmt: skip
    _int16_zero_points(graph, rng, dtype, (x, y))
    return case(model, rng, [x], [y])


def depthwise_separable_block(rng: Rng) -> tuple[ModelBuilder, list[int], list[int]]:
    """A small several-op model: depthwise, pointwise, residual ADD, LOGISTIC."""
    model, graph = one_op_graph()
    shape = (1, *sizes(rng, 2, 2, 6), int(rng.integers(2, 6)))
    channels = shape[3]
    x = quantised(graph, rng, shape, np.int8)
    middle = quantised(graph, rng, shape, np.int8)
    out = quantised(graph, rng, shape, np.int8)
    total = quantised(graph, rng, shape, np.int8, of_scale=scale(rng, 0.05, 1.0))
    mask = graph.tensor(shape, np.int8, scale=2.0**-8, zero_point=-128)
    weights, bias = _filter_and_bias(
        graph, rng, x, middle, (1, 3, 3, channels), 3, np.int8,
        per_channel=True, optional_bias=False,
    )  # fmt: skip
    graph.operator(
        "DEPTHWISE_CONV_2D", [x, weights, bias], [middle], options="DepthwiseConv2DOptions",
        padding=_SAME, strideH=1, strideW=1, depthMultiplier=1, dilationHFactor=1,
        dilationWFactor=1, fusedActivationFunction=3,
    )  # fmt: skip
    weights, bias = _filter_and_bias(
        graph, rng, middle, out, (channels, 1, 1, channels), 0, np.int8,
        per_channel=True, optional_bias=False,
    )  # fmt: skip
    graph.operator(
        "CONV_2D", [middle, weights, bias], [out], options="Conv2DOptions", padding=_SAME,
        strideH=1, strideW=1, dilationHFactor=1, dilationWFactor=1,
    )  # fmt: skip
    graph.operator("ADD", [x, out], [total], options="AddOptions")
    graph.operator("LOGISTIC", [total], [mask])
    return model, [x], [mask]


def _block(rng: Rng) -> Case:
    model, inputs, outputs = depthwise_separable_block(rng)
    return case(model, rng, inputs, outputs)


CONVOLUTION_MODELS: dict[str, Draw] = {
    "CONV_2D": partial(_conv_2d, dtype=np.int8),
    "CONV_2D/groups": partial(_conv_2d, dtype=np.int8, groups=True),
    "CONV_2D/16x8": partial(_conv_2d, dtype=np.int16),
    "CONV_2D/16x8-int32-bias": partial(_conv_2d, dtype=np.int16, bias_type=np.int32),
    "DEPTHWISE_CONV_2D": partial(_depthwise_conv_2d, dtype=np.int8),
    "DEPTHWISE_CONV_2D/16x8": partial(_depthwise_conv_2d, dtype=np.int16),
    "TRANSPOSE_CONV": partial(_transpose_conv, dtype=np.int8),
    "TRANSPOSE_CONV/16x8": partial(_transpose_conv, dtype=np.int16),
    "TRANSPOSE_CONV/16x8-int16-bias": partial(_transpose_conv, dtype=np.int16, bias_type=np.int16),
    "FULLY_CONNECTED": partial(_fully_connected, dtype=np.int8),
    "FULLY_CONNECTED/weight-zero-point": partial(
        _fully_connected, dtype=np.int8, weight_zero_point=True
    ),
    "FULLY_CONNECTED/16x8-weight-zero-point": partial(
        _fully_connected, dtype=np.int16, weight_zero_point=True
    ),
    "FULLY_CONNECTED/16x8": partial(_fully_connected, dtype=np.int16),
    "FULLY_CONNECTED/16x8-int32-bias": partial(
        _fully_connected, dtype=np.int16, bias_type=np.int32
    ),
    "SEPARABLE_BLOCK": _block,
}
