"""What the CMSIS-NN kernels ask of the arena in their Prepare, where it differs from reference.

With C_in input channels, a kh x kw filter and int8 activations, scratch bytes are

    CONV_2D            1x1 at stride 1, or without padding: 0
                       DSP  4 * roundup4(kh * kw * C_in)
                       MVE  64 * ceil(kh * kw * C_in / 16); less for 1xN on one row
    DEPTHWISE_CONV_2D  depth multiplier 1, batch 1, not dilated:
                       DSP  2 * C * kh * kw, and 0 for 3x3 with padding <= 1
                       MVE  4 * 124 * kh * kw
    TRANSPOSE_CONV     stride <= 2 and C_in > 16: that of CONV_2D, and a reversed filter;
                       else 4 * ((W - 1) * stride + max(kw, stride)) * C_out * max(kh, stride)
    AVERAGE_POOL_2D    DSP  4 * C
    LSTM               three state buffers; eight vectors of effective biases in the tail

Source: tensorflow/lite/micro/kernels/cmsis_nn/*.cc, arm_*_get_buffer_sizes_*.c of CMSIS-NN.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import MappingProxyType

from firmware_ref.arena.buffers import align_up
from firmware_ref.arena.requests import (
    INT32_BYTES,
    INT64_BYTES,
    Persistent,
    Request,
    Scratch,
    dimension,
    first_output,
    inputs,
    output,
    per_channel_arrays,
    prepare_requests,
    required_input,
    tensor_of,
)
from firmware_ref.model import Operator, Subgraph, Tensor, TensorType
from firmware_ref.options import (
    Conv2DOptions,
    DepthwiseConv2DOptions,
    Padding,
    TransposeConvOptions,
)

INT16_BYTES = 2
MVE_CHANNEL_BLOCK = 124
"""CH_IN_BLOCK_MVE of arm_nnsupportfunctions.h."""
REVERSE_TRANSPOSE_CONV_CHANNELS = 16
"""REVERSE_TCOL_EFFICIENT_THRESHOLD of arm_nnsupportfunctions.h."""

Kernel = Callable[[Operator, Subgraph, bool], Iterable[Request]]


def _padding_before(
    input_size: int, output_size: int, kernel: int, stride: int, dilation: int, padding: Padding
) -> int:
    """Cells of padding before the input (padding.h: ComputePadding)."""
    if padding is Padding.VALID:
        return 0
    window = (kernel - 1) * dilation + 1
    return max(0, (output_size - 1) * stride + window - input_size) // 2


def _im2col_bytes(elements: int, mve: bool) -> int:
    """arm_convolve_s8_get_buffer_size, for columns of `elements` values."""
    return 4 * align_up(elements, 16) if mve else 2 * INT16_BYTES * align_up(elements, 4)


def _one_row_bytes(source: Tensor, filter_: Tensor, result: Tensor, stride: int, pad: int) -> int:
    """arm_convolve_1_x_n_s8_get_buffer_size_mve: the border columns of a convolution of one row."""
    width, channels = source.shape[2], source.shape[3]
    kernel, results = filter_.shape[2], result.shape[2]
    total_pad = (results - 1) * stride + kernel - width
    odd_pad = total_pad % 2 if total_pad >= 0 else -(-total_pad % 2)
    right = max(1, -(-(pad + odd_pad) // stride)) if pad + odd_pad != 0 else 0
    left = max(1, -(-pad // stride)) if pad != 0 else 0
    if right + left > results:
        return _im2col_bytes(kernel * filter_.shape[1] * channels, mve=True)
    pad_left = pad * channels
    pad_right = right * channels if odd_pad else pad_left
    window = kernel * channels
    return max(window + pad_left, window - channels + pad_right)


def _conv_scratch_bytes(op: Operator, subgraph: Subgraph, mve: bool) -> int:
    source, filter_ = required_input(op, subgraph, 0), required_input(op, subgraph, 1)
    result = first_output(op, subgraph)
    options = op.options if isinstance(op.options, Conv2DOptions) else Conv2DOptions()
    channels = dimension(source, 3)
    kernel_h, kernel_w = dimension(filter_, 1), dimension(filter_, 2)
    stride_h, stride_w = max(1, options.stride_h), max(1, options.stride_w)
    dilation_h, dilation_w = options.dilation_h_factor, options.dilation_w_factor
    elements = kernel_h * kernel_w * channels
    if source.type is TensorType.INT16:
        return 4 * INT16_BYTES * align_up(elements, 8) if mve else 2 * INT16_BYTES * elements
    pad_h = _padding_before(
        source.shape[1], dimension(result, 1), kernel_h, stride_h, dilation_h, options.padding
    )
    pad_w = _padding_before(
        source.shape[2], dimension(result, 2), kernel_w, stride_w, dilation_w, options.padding
    )
    is_whole = channels == dimension(filter_, 3) and dilation_w == 1
    if is_whole and dilation_h == 1 and kernel_h == kernel_w == 1 and pad_h == pad_w == 0:
        return 0
    if is_whole and mve and source.shape[1] == kernel_h == 1 and stride_w * channels % 4 == 0:
        return _one_row_bytes(source, filter_, result, stride_w, pad_w)
    return _im2col_bytes(elements, mve)


def _depthwise_scratch_bytes(op: Operator, subgraph: Subgraph, mve: bool) -> int:
    source, filter_ = required_input(op, subgraph, 0), required_input(op, subgraph, 1)
    result = first_output(op, subgraph)
    given = op.options
    options = given if isinstance(given, DepthwiseConv2DOptions) else DepthwiseConv2DOptions()
    channels = dimension(source, 3)
    kernel_h, kernel_w = dimension(filter_, 1), dimension(filter_, 2)
    is_dilated = options.dilation_h_factor != 1 or options.dilation_w_factor != 1
    if source.shape[0] != 1 or channels != dimension(result, 3) or is_dilated:
        return 0
    if source.type is TensorType.INT16:
        if kernel_h * kernel_w * channels >= 512:
            return 0
        values = channels * kernel_h * kernel_w * INT16_BYTES
        return 4 * values + 8 if mve else values
    if mve:
        return 4 * MVE_CHANNEL_BLOCK * kernel_h * kernel_w
    pads = (
        _padding_before(source.shape[axis], result.shape[axis], kernel, stride, 1, options.padding)
        for axis, kernel, stride in (
            (1, kernel_h, max(1, options.stride_h)),
            (2, kernel_w, max(1, options.stride_w)),
        )
    )
    if kernel_h == kernel_w == 3 and max(pads) <= 1:
        return 0
    return INT16_BYTES * channels * kernel_h * kernel_w


def _convolution(
    op: Operator, subgraph: Subgraph, channel_axis: int, scratch_bytes: int
) -> Iterator[Request]:
    filter_ = required_input(op, subgraph, 1)
    yield from inputs(op, 0, 1)
    yield from output(op)
    yield from per_channel_arrays(dimension(filter_, channel_axis))
    yield from inputs(op, 0, 1, 2)
    yield from output(op)
    if scratch_bytes:
        yield Scratch(scratch_bytes)


def _conv_2d(op: Operator, subgraph: Subgraph, mve: bool) -> Iterator[Request]:
    yield from _convolution(op, subgraph, 0, _conv_scratch_bytes(op, subgraph, mve))


def _depthwise_conv_2d(op: Operator, subgraph: Subgraph, mve: bool) -> Iterator[Request]:
    yield from _convolution(op, subgraph, 3, _depthwise_scratch_bytes(op, subgraph, mve))


def _transpose_conv(op: Operator, subgraph: Subgraph, mve: bool) -> Iterable[Request]:
    source, filter_ = required_input(op, subgraph, 2), required_input(op, subgraph, 1)
    if source.type is not TensorType.INT8:
        return prepare_requests(op, subgraph)
    options = op.options if isinstance(op.options, TransposeConvOptions) else TransposeConvOptions()
    stride_h, stride_w = max(1, options.stride_h), max(1, options.stride_w)
    kernel_h, kernel_w = dimension(filter_, 1), dimension(filter_, 2)
    channels, results = dimension(source, 3), dimension(filter_, 0)
    if max(stride_h, stride_w) <= 2 and channels > REVERSE_TRANSPOSE_CONV_CHANNELS:
        scratch_bytes = _im2col_bytes(kernel_h * kernel_w * channels, mve)
        reversed_bytes = filter_.elements
    else:
        # CMSIS-NN takes the vertical stride for the width as well.
        columns = (source.shape[2] - 1) * stride_w + max(kernel_w, stride_h)
        scratch_bytes = INT32_BYTES * columns * results * max(kernel_h, stride_h)
        reversed_bytes = 0
    return [
        *output(op),
        *inputs(op, 2, 1),
        *per_channel_arrays(results),
        Scratch(scratch_bytes),
        Scratch(reversed_bytes),
        *inputs(op, 2, 1, 3),
        *output(op),
    ]


def _fully_connected(op: Operator, subgraph: Subgraph, mve: bool) -> Iterator[Request]:
    yield from prepare_requests(op, subgraph)
    source, filter_ = required_input(op, subgraph, 0), required_input(op, subgraph, 1)
    result = first_output(op, subgraph)
    if source.type is not TensorType.INT8:
        return
    is_per_channel = filter_.quantization is not None and len(filter_.quantization.scales) > 1
    runs_as_conv = len(result.shape) > 2 and filter_.shape[-1] % 4 == 0
    if runs_as_conv and not is_per_channel:
        yield Scratch(2 * INT32_BYTES * result.shape[-1])
    elif mve and not runs_as_conv:
        yield Persistent(INT32_BYTES * dimension(filter_, 0))


def _average_pool_2d(op: Operator, subgraph: Subgraph, mve: bool) -> Iterator[Request]:
    yield from prepare_requests(op, subgraph)
    yield from inputs(op, 0)
    yield from output(op)
    source = required_input(op, subgraph, 0)
    if source.type is TensorType.INT8 and not mve:
        yield Scratch(INT32_BYTES * dimension(source, 3))


def _lstm(op: Operator, subgraph: Subgraph, mve: bool) -> Iterator[Request]:
    cell_state = required_input(op, subgraph, 19)
    hidden = dimension(required_input(op, subgraph, 5), 0)
    bias = tensor_of(op, subgraph, 12)
    is_wide = bias is not None and bias.type is TensorType.INT64
    yield from inputs(op, *range(len(op.inputs)))
    yield from output(op)
    for _ in range(8):
        yield Persistent((INT64_BYTES if is_wide else INT32_BYTES) * hidden)
    for _ in range(3):
        yield Scratch(cell_state.bytes)


def _svdf(op: Operator, subgraph: Subgraph, mve: bool) -> Iterator[Request]:
    yield from prepare_requests(op, subgraph)
    if mve and required_input(op, subgraph, 0).type is TensorType.INT8:
        yield Persistent(INT32_BYTES * dimension(required_input(op, subgraph, 1), 0))


OPTIMISED: Mapping[str, Kernel] = MappingProxyType(
    {
        "AVERAGE_POOL_2D": _average_pool_2d,
        "CONV_2D": _conv_2d,
        "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
        "FULLY_CONNECTED": _fully_connected,
        "SVDF": _svdf,
        "TRANSPOSE_CONV": _transpose_conv,
        "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
    }
)
"""Operators whose CMSIS-NN kernels ask for other memory than the reference kernels."""


def cmsis_nn_requests(op: Operator, subgraph: Subgraph, mve: bool) -> Iterable[Request]:
    """The requests of one operator's Prepare with CMSIS-NN.

    Args:
        op: the operator.
        subgraph: where it belongs.
        mve: built for a core with vector instructions (Cortex-M55) instead of DSP ones.

    Raises:
        UnsupportedOpError: the operator's kernel is not known.
        ModelError: its tensors do not fit it.
    """
    if op.name in OPTIMISED:
        return OPTIMISED[op.name](op, subgraph, mve)
    return prepare_requests(op, subgraph)
