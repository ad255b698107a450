"""CONV_2D and DEPTHWISE_CONV_2D: weights in the kernels' order, zero point folded into the bias."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.c_export.clamps import emit_clamp
from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.factors import kernel_rounding, kernel_shift
from firmware_ref.c_export.geometry import convolution_geometry, row_size
from firmware_ref.c_export.nodes import operator_node
from firmware_ref.c_export.staircase import single_rounding
from firmware_ref.c_export.steps import Step
from firmware_ref.errors import ModelError
from firmware_ref.fixed_point import quantize_multiplier
from firmware_ref.kernels.filter_quantization import bias_values, channel_factors
from firmware_ref.node import Node
from firmware_ref.options import Conv2DOptions, DepthwiseConv2DOptions

LARGEST_INPUT = 128
ACCUMULATOR_LIMIT = 2**30 - 1024
"""Accumulators stay below it: the kernels double them, and add the output's zero point."""
LARGEST_SIZE = 2**15 - 1
"""tfkd_convolution keeps sizes as int16."""

LARGEST_SHIFT = 22
"""tfkd_channels keeps twice the output's zero point, shifted by it, as int32."""

CHANNELS = np.dtype([("bias", "i4", 4), ("factor", "i4", (4, 2)), ("shift", "i1", 4)])
"""tfkd_channels of kernels.h."""


@dataclass(frozen=True)
class Channels:
    """What the output channels have of their own, as the kernels read it.

    Attributes:
        weights: a row for each channel, int64[channels, weights].
        records: tfkd_channels for every four.
        rounds_once: whether they are for one rounding; see `single_rounding`.
        shifts_left: whether any factor is still 1/2 or more.
        enlarged: whether any weights are no longer int8.
    """

    weights: NDArray[np.int64]
    records: NDArray[np.void]
    rounds_once: bool = False
    shifts_left: bool = False
    enlarged: bool = False


def emit_conv_2d(emitter: Emitter, step: Step) -> None:
    """tfkd_conv_2d. ModelError for grouped convolutions."""
    node = operator_node(emitter.graph, step.operator)
    filters = node.constant(1)  # (C_out, kh, kw, C_in)
    if filters.shape[3] != node.input(0).shape[3]:
        raise node.error("is a grouped convolution, which the C export lacks")
    sums = filters.astype(np.int64).reshape(filters.shape[0], -1)  # (C_out, kh kw C_in)
    channels = _channels(node, sums)
    _, height, width, _ = node.output().shape
    rows = _rows(channels.weights)
    by_fours = 0 if channels.shifts_left else len(sums) // 4 * 4
    paired = height * width == 1 and _pairs_fit(rows[:by_fours], channels)
    fours = _pairs(rows[:by_fours]) if paired else _taking_turns(rows[:by_fours])
    weights = np.concatenate([fours.reshape(-1), rows[by_fours:].reshape(-1)])
    options = node.options(Conv2DOptions)
    _emit(emitter, step, node, options, channels, weights, by_fours, "tfkd_conv_2d", paired=paired)


def emit_depthwise_conv_2d(emitter: Emitter, step: Step) -> None:
    """tfkd_depthwise_conv_2d."""
    node = operator_node(emitter.graph, step.operator)
    filters = node.constant(1)  # (1, kh, kw, C_out)
    sums = filters.astype(np.int64).reshape(-1, filters.shape[3]).T  # (C_out, kh kw)
    options = node.options(DepthwiseConv2DOptions)
    channels = _channels(node, sums)
    blocks = _fours(channels.weights).transpose(0, 2, 1)  # (C_out / 4, kh kw, 4)
    has_fours = node.input(0).shape[3] == len(sums) and not channels.shifts_left
    by_fours = len(sums) // 4 * 4 if has_fours else 0
    _emit(emitter, step, node, options, channels, blocks, by_fours, "tfkd_depthwise_conv_2d")


def _emit(
    emitter: Emitter,
    step: Step,
    node: Node,
    options: Conv2DOptions | DepthwiseConv2DOptions,
    channels: Channels,
    weights: NDArray[Any],
    by_fours: int,
    function: str,
    *,
    paired: bool = False,
) -> None:
    """`channels` and `weights` as the kernel reads them."""
    x, y = node.input(0), node.output()
    if x.shape[0] != 1:
        raise node.error(f"has a batch of {x.shape[0]}; the C export computes one frame at a time")
    geometry = convolution_geometry(emitter.graph, step)
    rows, columns = geometry.rows, geometry.columns
    sizes = {
        "in_height": rows.input_size,
        "in_width": columns.input_size,
        "in_channels": x.shape[3],
        "out_height": rows.output_size,
        "out_width": columns.output_size,
        "out_channels": y.shape[3],
        "filter_height": rows.filter_size,
        "filter_width": columns.filter_size,
        "stride_height": rows.stride,
        "stride_width": columns.stride,
        "dilation_height": rows.dilation,
        "dilation_width": columns.dilation,
        "pad_top": rows.before,
        "pad_left": columns.before,
        "in_zero_point": x.zero_point,
        "by_fours": by_fours,
        "paired": int(paired),
        "rounds_once": int(channels.rounds_once),
    }
    if max(sizes.values()) > LARGEST_SIZE:
        raise node.error(f"has a size over {LARGEST_SIZE}, which the C export lacks")
    fields = {
        "weights": emitter.constant(step, "weights", "int16_t", weights),
        "channels": emitter.constant(step, "channels", "tfkd_channels", channels.records),
        **{name: str(size) for name, size in sizes.items()},
    }
    emitter.call(
        function,
        emitter.place(step.outputs[0]),
        emitter.place(step.inputs[0]),
        emitter.patch(step),
        emitter.parameter(step, "tfkd_convolution", fields),
    )
    emit_clamp(emitter, step, node, options.fused_activation_function)


def _rows(weights: NDArray[np.int64]) -> NDArray[np.int64]:
    """The rows of CONV_2D, each filled up with zeros to a multiple of eight."""
    count, length = weights.shape
    rows = np.zeros((count, row_size(length)), np.int64)
    rows[:, :length] = weights
    return rows


def _pairs(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Two rows in one, as tfkd_convolution has them."""
    return rows[1::2] * 256 + rows[0::2]


def _pairs_fit(rows: NDArray[np.int64], channels: Channels) -> bool:
    """Whether the weights are int8, no pair leaves int16 (-128 above a negative one: no converter
    writes -128) and no sum int32."""
    if channels.enlarged:
        return False
    pairs = _pairs(rows)
    bias = channels.records["bias"].astype(np.int64).reshape(-1)[: len(rows) : 2]
    largest_sums = LARGEST_INPUT * np.abs(pairs).sum(axis=1) + np.abs(bias)
    return bool((pairs >= -(2**15)).all() and (largest_sums < ACCUMULATOR_LIMIT).all())


def _taking_turns(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Rows by fours, [C_out / 4, row / 2, 4, 2]."""
    return rows.reshape(len(rows) // 4, 4, rows.shape[1] // 2, 2).transpose(0, 2, 1, 3)


def _channels(node: Node, weights: NDArray[np.int64]) -> Channels:
    """Biases and factors of the output channels; `weights`: a row for each channel."""
    x, y = node.input(0), node.output()
    bias = bias_values(node, 2, len(weights)) - x.zero_point * weights.sum(axis=1)
    factors = channel_factors(node, x, node.input(1), y, len(weights))
    multiplier, shift = quantize_multiplier(factors)
    largest = np.abs(bias) + LARGEST_INPUT * np.abs(weights).sum(axis=1)
    _check_range(node, largest, np.where(largest > 0, shift, 0))
    once = single_rounding(largest, multiplier, shift, y.zero_point)
    if once is not None:
        shifts = np.full(len(weights), once.shift)
        bias = bias * once.enlargement + once.bias
        return Channels(
            weights * once.enlargement[:, np.newaxis],
            _records(bias, once.multiplier, once.rounding, shifts),
            rounds_once=True,
            enlarged=bool((once.enlargement > 1).any()),
        )
    shift = kernel_shift(shift)
    # where every accumulator becomes 0, do without a large shift
    vanishes = 2.0 * largest * multiplier < 2.0 ** (32 + np.clip(shift, -1, 63) - 1)
    multiplier, shift = np.where(vanishes, 0, multiplier), np.where(vanishes, 0, shift)
    if (shift > LARGEST_SHIFT).any():
        raise node.error("has a factor under 2^-23, which the C export lacks")
    rounding = kernel_rounding(y.zero_point, shift)
    records = _records(bias, multiplier, rounding, shift)
    return Channels(weights, records, shifts_left=bool((shift < 0).any()))


def _records(
    bias: NDArray[np.int64],
    multiplier: NDArray[np.int64],
    rounding: NDArray[np.int64],
    shift: NDArray[np.int64],
) -> NDArray[np.void]:
    """tfkd_channels for every four output channels."""
    records = np.zeros(-(-len(bias) // 4), CHANNELS)
    records["bias"], records["shift"] = _fours(bias), _fours(shift)
    records["factor"] = _fours(np.stack([multiplier, rounding], axis=1))  # (C / 4, 4, 2)
    return records


def _fours(values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Groups of four along the first axis, the last one filled up with zeros."""
    filled = np.zeros((-(-len(values) // 4) * 4, *values.shape[1:]), np.int64)
    filled[: len(values)] = values
    return filled.reshape(-1, 4, *values.shape[1:])


def _check_range(node: Node, largest: NDArray[np.int64], shift: NDArray[np.int64]) -> None:
    """ModelError where an int32 accumulator could overflow: undefined in C, wrapped in TFLM.

    `largest`: the largest magnitude of each output channel's accumulator.
    """
    scaled = largest.astype(np.float64) * 2.0 ** np.maximum(shift, 0)
    if scaled.size and scaled.max() >= ACCUMULATOR_LIMIT:
        channel = int(scaled.argmax())
        raise ModelError(
            f"operator {node.op.index} ({node.op.name}) may overflow its int32 accumulator in "
            f"output channel {channel} (up to {scaled[channel]:.3g}). Expected less than 2^30: "
            "check the scales of its input, weights and output."
        )
