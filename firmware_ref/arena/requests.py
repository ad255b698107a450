"""What each reference kernel asks of the arena in its Prepare, in the order of its calls.

A kernel makes three kinds of request: a temporary copy of a tensor's description (freed when its
Prepare ends), persistent memory in the tail, and scratch memory that the planner places in the
head. The order matters: alignment losses and the smallest arena depend on it.

Source: the Prepare functions in tensorflow/lite/micro/kernels/<operator>.cc and
<operator>_common.cc.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from firmware_ref.errors import ModelError, UnsupportedOpError
from firmware_ref.model import Operator, Subgraph, Tensor, TensorType


@dataclass(frozen=True)
class Temporary:
    """AllocateTempInputTensor and its kin: the description of one tensor, quantisation included."""

    tensor: int


@dataclass(frozen=True)
class Persistent:
    """AllocatePersistentBuffer: memory in the tail for the life of the interpreter."""

    size_bytes: int


@dataclass(frozen=True)
class Scratch:
    """RequestScratchBufferInArena: memory in the head while the operator runs."""

    size_bytes: int


@dataclass(frozen=True)
class ResourceVariable:
    """Memory of the variable behind `handle`, taken by its first ASSIGN_VARIABLE."""

    handle: int
    size_bytes: int


Request = Temporary | Persistent | Scratch | ResourceVariable

INT32_BYTES = 4
INT64_BYTES = 8


def tensor_of(op: Operator, subgraph: Subgraph, position: int) -> Tensor | None:
    """Input of `op` at `position`; None where it is omitted."""
    if position >= len(op.inputs) or op.inputs[position] < 0:
        return None
    return subgraph.tensors[op.inputs[position]]


def required_input(op: Operator, subgraph: Subgraph, position: int) -> Tensor:
    """Input of `op` at `position`.

    Raises:
        ModelError: the operator omits it.
    """
    tensor = tensor_of(op, subgraph, position)
    if tensor is None:
        raise ModelError(
            f"operator {op.index} ({op.name}) of subgraph {subgraph.index} lacks its input "
            f"{position}; it has {len(op.inputs)}."
        )
    return tensor


def first_output(op: Operator, subgraph: Subgraph) -> Tensor:
    """The output of `op`.

    Raises:
        ModelError: the operator has none.
    """
    if not op.outputs:
        raise ModelError(
            f"operator {op.index} ({op.name}) of subgraph {subgraph.index} has no output."
        )
    return subgraph.tensors[op.outputs[0]]


def dimension(tensor: Tensor, axis: int) -> int:
    """Length of `tensor` along `axis`.

    Raises:
        ModelError: the tensor has fewer dimensions.
    """
    if axis >= len(tensor.shape):
        raise ModelError(
            f"tensor {tensor.index} ({tensor.name!r}) has the shape {tensor.shape}; "
            f"expected at least {axis + 1} dimensions."
        )
    return tensor.shape[axis]


def inputs(op: Operator, *positions: int) -> Iterator[Temporary]:
    """Temporaries of the inputs that are present."""
    for position in positions:
        if position < len(op.inputs) and op.inputs[position] >= 0:
            yield Temporary(op.inputs[position])


def output(op: Operator) -> Iterator[Temporary]:
    """Temporary of the first output."""
    if op.outputs:
        yield Temporary(op.outputs[0])


def per_channel_arrays(channels: int) -> Iterator[Persistent]:
    """Multipliers and shifts of the output channels, int32 each."""
    yield Persistent(INT32_BYTES * channels)
    yield Persistent(INT32_BYTES * channels)


def _inputs_and_output(*positions: int) -> Callable[[Operator, Subgraph], Iterator[Request]]:
    def requests(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
        yield from inputs(op, *positions)
        yield from output(op)

    return requests


def _nothing(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from ()


def convolution(op: Operator, subgraph: Subgraph, channel_axis: int) -> Iterator[Request]:
    """CONV_2D and DEPTHWISE_CONV_2D: one multiplier and shift per output channel."""
    filter_ = required_input(op, subgraph, 1)
    yield from output(op)
    yield from inputs(op, 0, 1)
    yield from per_channel_arrays(dimension(filter_, channel_axis))
    if filter_.type is TensorType.INT4:
        yield Scratch(filter_.elements)
    yield from inputs(op, 0, 1, 2)
    yield from output(op)


def _conv_2d(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from convolution(op, subgraph, channel_axis=0)


def _depthwise_conv_2d(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from convolution(op, subgraph, channel_axis=3)


def _transpose_conv(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    """Accumulates the whole output at once: int32 for int8, int64 for 16x8."""
    result = first_output(op, subgraph)
    source = required_input(op, subgraph, 2)
    bias = tensor_of(op, subgraph, 3)
    yield from output(op)
    yield from inputs(op, 2, 1)
    yield from per_channel_arrays(dimension(required_input(op, subgraph, 1), 0))
    if source.type is TensorType.INT8:
        yield Scratch(INT32_BYTES * result.elements)
    if source.type is TensorType.INT16:
        yield Scratch(INT64_BYTES * result.elements)
    if source.type is not TensorType.FLOAT32:
        yield from inputs(op, 2, 1, 3)
        yield from output(op)
    if source.type is TensorType.INT16 and bias is not None and bias.type is TensorType.INT16:
        yield Scratch(INT64_BYTES * bias.elements)


def _fully_connected(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    filter_ = required_input(op, subgraph, 1)
    yield from inputs(op, 0, 1, 2)
    yield from output(op)
    if filter_.type is TensorType.INT4:
        yield Scratch(filter_.elements)
    quantization = filter_.quantization
    if quantization is not None and len(quantization.scales) > 1:
        yield from per_channel_arrays(len(quantization.scales))


def _softmax(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from inputs(op, 0)
    yield from output(op)
    if required_input(op, subgraph, 0).type is TensorType.INT16:
        yield Persistent(2 * 513)  # exp table
        yield Persistent(2 * 513)  # 1 / (1 + x) table


def _mean(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    source = required_input(op, subgraph, 0)
    yield from inputs(op, 0)
    yield from output(op)
    yield from inputs(op, 1)
    if source.type in (TensorType.INT8, TensorType.INT16):
        yield Scratch(INT32_BYTES * first_output(op, subgraph).elements)
    yield Scratch(INT32_BYTES * len(source.shape))
    yield Scratch(INT32_BYTES * required_input(op, subgraph, 1).elements)
    yield from inputs(op, 0, 1)
    if source.type is TensorType.INT8:
        yield from output(op)


def _extreme(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    """REDUCE_MAX and REDUCE_MIN."""
    source = required_input(op, subgraph, 0)
    yield from inputs(op, 0, 1)
    if source.type is TensorType.INT8:
        yield from output(op)
    yield from inputs(op, 0)
    yield from output(op)
    yield from inputs(op, 1)
    yield Scratch(INT32_BYTES * len(source.shape))
    yield Scratch(INT32_BYTES * required_input(op, subgraph, 1).elements)


def _gather(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    """The output's dimensions are copied, to be written."""
    yield from inputs(op, 0, 1)
    yield from output(op)
    yield Persistent(INT32_BYTES * (1 + len(first_output(op, subgraph).shape)))


def _concatenation(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from inputs(op, 0)
    yield from output(op)
    yield from inputs(op, *range(len(op.inputs)))


def _split(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from inputs(op, 0)


def _split_v(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from inputs(op, 2)


def _moved_channels(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    """SPACE_TO_DEPTH and DEPTH_TO_SPACE: a copy of the output's dimensions that can be written."""
    yield from inputs(op, 0)
    yield from output(op)
    yield Persistent(INT32_BYTES * (1 + len(first_output(op, subgraph).shape)))


def _only_input(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from inputs(op, 0)


def _lstm(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    """Four gate buffers of one step's state each, in the type of the cell state."""
    cell_state = required_input(op, subgraph, 19)
    yield from inputs(op, *range(len(op.inputs)))
    yield from output(op)
    for _ in range(4):
        yield Scratch(cell_state.bytes)


def _svdf(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    source, weights = required_input(op, subgraph, 0), required_input(op, subgraph, 1)
    batches, filters = dimension(source, 0), dimension(weights, 0)
    yield from inputs(op, 0, 1, 2, 3, 4)
    yield from output(op)
    yield Scratch(INT32_BYTES * batches * filters)
    if source.type is TensorType.INT8:
        yield Scratch(INT32_BYTES * first_output(op, subgraph).elements)


def _assign_variable(op: Operator, subgraph: Subgraph) -> Iterator[Request]:
    yield from inputs(op, 1)
    value = required_input(op, subgraph, 1)
    yield ResourceVariable(required_input(op, subgraph, 0).index, value.bytes)


PREPARE: Mapping[str, Callable[[Operator, Subgraph], Iterable[Request]]] = MappingProxyType(
    {
        "ABS": _inputs_and_output(0),
        "ADD": _inputs_and_output(0, 1),
        "ASSIGN_VARIABLE": _assign_variable,
        "AVERAGE_POOL_2D": _inputs_and_output(0),
        "BATCH_TO_SPACE_ND": _inputs_and_output(0),
        "CALL_ONCE": _nothing,
        "CONCATENATION": _concatenation,
        "CONV_2D": _conv_2d,
        "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
        "DEPTH_TO_SPACE": _moved_channels,
        "DEQUANTIZE": _inputs_and_output(0),
        "ELU": _inputs_and_output(0),
        "EXPAND_DIMS": _inputs_and_output(0, 1),
        "FILL": _inputs_and_output(0, 1),
        "FULLY_CONNECTED": _fully_connected,
        "GATHER": _gather,
        "HARD_SWISH": _inputs_and_output(0),
        "LEAKY_RELU": _inputs_and_output(0),
        "LOGISTIC": _inputs_and_output(0),
        "MAXIMUM": _nothing,
        "MAX_POOL_2D": _inputs_and_output(0),
        "MEAN": _mean,
        "MINIMUM": _nothing,
        "MUL": _inputs_and_output(0, 1),
        "PACK": _nothing,
        "PAD": _inputs_and_output(0, 1),
        "PADV2": _inputs_and_output(0, 1, 2),
        "PRELU": _inputs_and_output(0, 1),
        "QUANTIZE": _inputs_and_output(0),
        "READ_VARIABLE": _only_input,
        "REDUCE_MAX": _extreme,
        "REDUCE_MIN": _extreme,
        "RELU": _inputs_and_output(0),
        "RELU6": _only_input,
        "RESHAPE": _inputs_and_output(0),
        "RESIZE_BILINEAR": _inputs_and_output(0, 1),
        "RESIZE_NEAREST_NEIGHBOR": _inputs_and_output(0, 1),
        "REVERSE_V2": _inputs_and_output(0, 1),
        "RSQRT": _inputs_and_output(0),
        "SHAPE": _nothing,
        "SLICE": _inputs_and_output(0, 1, 2),
        "SOFTMAX": _softmax,
        "SPACE_TO_BATCH_ND": _inputs_and_output(0),
        "SPACE_TO_DEPTH": _moved_channels,
        "SPLIT": _split,
        "SPLIT_V": _split_v,
        "SQUARED_DIFFERENCE": _inputs_and_output(0, 1),
        "SQUEEZE": _inputs_and_output(0),
        "STRIDED_SLICE": _inputs_and_output(0, 1, 2, 3),
        "SUB": _inputs_and_output(0, 1),
        "SUM": _mean,
        "SVDF": _svdf,
        "TANH": _inputs_and_output(0, 0),
        "TRANSPOSE": _inputs_and_output(0, 1),
        "TRANSPOSE_CONV": _transpose_conv,
        "UNIDIRECTIONAL_SEQUENCE_LSTM": _lstm,
        "UNPACK": _nothing,
        "VAR_HANDLE": _nothing,
    }
)
"""Operator name -> its requests, in order, with reference kernels."""


def prepare_requests(op: Operator, subgraph: Subgraph) -> Iterable[Request]:
    """The requests of one operator's Prepare.

    Raises:
        UnsupportedOpError: the operator's kernel is not known.
    """
    if op.name not in PREPARE:
        raise UnsupportedOpError(op.name, op.index, sorted(PREPARE))
    return PREPARE[op.name](op, subgraph)
