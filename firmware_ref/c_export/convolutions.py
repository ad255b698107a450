"""CONV_2D and DEPTHWISE_CONV_2D: weights as in the file, zero point folded into the bias."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.nodes import checked_node
from firmware_ref.c_export.steps import Step
from firmware_ref.errors import ModelError
from firmware_ref.fixed_point import quantize_multiplier
from firmware_ref.kernels.activation_range import activation_range
from firmware_ref.kernels.filter_quantization import bias_values, channel_factors
from firmware_ref.kernels.window import WindowAxis
from firmware_ref.node import Node
from firmware_ref.options import Conv2DOptions, DepthwiseConv2DOptions

LARGEST_INPUT = 128
INT32_LIMIT = 2**31 - 1024
"""Accumulators stay below it, with room for rounding and the output's zero point."""


def emit_conv_2d(emitter: Emitter, step: Step) -> None:
    """tfkd_conv_2d. ModelError for grouped convolutions."""
    node = checked_node(emitter.graph, step.operator)
    filters = node.constant(1)  # (C_out, kh, kw, C_in)
    if filters.shape[3] != node.input(0).shape[3]:
        raise node.error("is a grouped convolution, which the C export lacks")
    sums = filters.astype(np.int64).reshape(filters.shape[0], -1)  # (C_out, kh kw C_in)
    _emit(emitter, step, node, node.options(Conv2DOptions), sums, "tfkd_conv_2d")


def emit_depthwise_conv_2d(emitter: Emitter, step: Step) -> None:
    """tfkd_depthwise_conv_2d."""
    node = checked_node(emitter.graph, step.operator)
    filters = node.constant(1)  # (1, kh, kw, C_out)
    sums = filters.astype(np.int64).reshape(-1, filters.shape[3]).T  # (C_out, kh kw)
    options = node.options(DepthwiseConv2DOptions)
    _emit(emitter, step, node, options, sums, "tfkd_depthwise_conv_2d")


def _emit(
    emitter: Emitter,
    step: Step,
    node: Node,
    options: Conv2DOptions | DepthwiseConv2DOptions,
    weights: NDArray[np.int64],
    function: str,
) -> None:
    """`weights`: one row per output channel."""
    x, y, filters = node.input(0), node.output(), node.constant(1)
    if x.shape[0] != 1:
        raise node.error(f"has a batch of {x.shape[0]}; the C export computes one frame at a time")
    channels = y.shape[3]
    rows = WindowAxis.of(
        node, x.shape[1], filters.shape[1], options.stride_h, options.dilation_h_factor,
        options.padding,
    )  # fmt: skip
    columns = WindowAxis.of(
        node, x.shape[2], filters.shape[2], options.stride_w, options.dilation_w_factor,
        options.padding,
    )  # fmt: skip
    bias = bias_values(node, 2, channels) - x.zero_point * weights.sum(axis=1)
    multiplier, shift = quantize_multiplier(channel_factors(node, x, node.input(1), y, channels))
    _check_range(node, weights, bias, shift)
    low, high = activation_range(node, options.fused_activation_function, y)
    source = emitter.graph.tensors[step.inputs[0]]  # smaller than x where a PAD is skipped
    window = {
        "in_height": source.shape[1],
        "in_width": source.shape[2],
        "in_channels": x.shape[3],
        "out_height": y.shape[1],
        "out_width": y.shape[2],
        "out_channels": channels,
        "filter_height": filters.shape[1],
        "filter_width": filters.shape[2],
        "stride_height": options.stride_h,
        "stride_width": options.stride_w,
        "dilation_height": options.dilation_h_factor,
        "dilation_width": options.dilation_w_factor,
        "pad_top": rows.before + step.pad_top,
        "pad_left": columns.before + step.pad_left,
        "in_zero_point": x.zero_point,
        "out_zero_point": y.zero_point,
        "low": low,
        "high": high,
    }
    factors = np.stack([multiplier, shift], axis=1)  # (C_out, 2)
    emitter.call(
        function,
        emitter.place(step.outputs[0]),
        emitter.place(step.inputs[0]),
        emitter.constant(step, "weights", "int8_t", filters),
        emitter.constant(step, "bias", "int32_t", bias),
        emitter.constant(step, "factors", "tfkd_factor", factors),
        emitter.parameter(step, "tfkd_window", {key: str(value) for key, value in window.items()}),
    )


def _check_range(
    node: Node, weights: NDArray[np.int64], bias: NDArray[np.int64], shift: NDArray[np.int64]
) -> None:
    """ModelError where an int32 accumulator could overflow: undefined in C, wrapped in TFLM."""
    largest = np.abs(bias) + LARGEST_INPUT * np.abs(weights).sum(axis=1)
    scaled = largest.astype(np.float64) * 2.0 ** np.maximum(shift, 0)
    if scaled.size and scaled.max() >= INT32_LIMIT:
        channel = int(scaled.argmax())
        raise ModelError(
            f"operator {node.op.index} ({node.op.name}) may overflow its int32 accumulator in "
            f"output channel {channel} (up to {scaled[channel]:.3g}). Expected less than 2^31: "
            "check the scales of its input, weights and output."
        )
