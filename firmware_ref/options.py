"""Builtin options of the operators, typed: one frozen dataclass per table of schema.fbs.

The fields of each class stand in the order of the schema, so the position of a field gives its
slot in the flatbuffer table, and its default is the schema's. `reader` fills them by that rule
alone; `tests/firmware_ref/test_schema.py` holds names and order equal to the generated schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, ClassVar


class Padding(IntEnum):
    """How a window meets the border (schema.fbs: `Padding`)."""

    SAME = 0
    VALID = 1


class Activation(IntEnum):
    """Activation fused into an operator (schema.fbs: `ActivationFunctionType`)."""

    NONE = 0
    RELU = 1
    RELU_N1_TO_1 = 2
    RELU6 = 3
    TANH = 4
    SIGN_BIT = 5


class WeightsFormat(IntEnum):
    """Layout of the weights of FULLY_CONNECTED (schema.fbs)."""

    DEFAULT = 0
    SHUFFLED4x16INT8 = 1


def _slot(kind: str, default: Any) -> Any:
    """A dataclass field that says how its slot is stored in the flatbuffer."""
    return field(default=default, metadata={"kind": kind})


def _int8(default: int = 0) -> Any:
    return _slot("int8", default)


def _int32(default: int = 0) -> Any:
    return _slot("int32", default)


def _float32(default: float = 0.0) -> Any:
    return _slot("float32", default)


def _bool(default: bool = False) -> Any:
    return _slot("bool", default)


def _int32s() -> Any:
    return _slot("int32[]", ())


def _string() -> Any:
    return _slot("string", "")


def _padding() -> Any:
    return field(default=Padding.SAME, metadata={"kind": "int8", "enum": Padding})


def _activation() -> Any:
    return field(default=Activation.NONE, metadata={"kind": "int8", "enum": Activation})


@dataclass(frozen=True)
class Options:
    """Base of all builtin options; on its own, the options of an operator that has no fields."""

    first_slot: ClassVar[int] = 0
    """Slot of the first field: above 0 where the schema has retired those before it."""


@dataclass(frozen=True)
class Conv2DOptions(Options):
    padding: Padding = _padding()
    stride_w: int = _int32()
    stride_h: int = _int32()
    fused_activation_function: Activation = _activation()
    dilation_w_factor: int = _int32(1)
    dilation_h_factor: int = _int32(1)
    quantized_bias_type: int = _int8()


@dataclass(frozen=True)
class DepthwiseConv2DOptions(Options):
    padding: Padding = _padding()
    stride_w: int = _int32()
    stride_h: int = _int32()
    depth_multiplier: int = _int32()
    fused_activation_function: Activation = _activation()
    dilation_w_factor: int = _int32(1)
    dilation_h_factor: int = _int32(1)


@dataclass(frozen=True)
class TransposeConvOptions(Options):
    padding: Padding = _padding()
    stride_w: int = _int32()
    stride_h: int = _int32()
    fused_activation_function: Activation = _activation()
    quantized_bias_type: int = _int8()


@dataclass(frozen=True)
class Pool2DOptions(Options):
    padding: Padding = _padding()
    stride_w: int = _int32()
    stride_h: int = _int32()
    filter_width: int = _int32()
    filter_height: int = _int32()
    fused_activation_function: Activation = _activation()


@dataclass(frozen=True)
class FullyConnectedOptions(Options):
    fused_activation_function: Activation = _activation()
    weights_format: WeightsFormat = field(
        default=WeightsFormat.DEFAULT, metadata={"kind": "int8", "enum": WeightsFormat}
    )
    keep_num_dims: bool = _bool()
    asymmetric_quantize_inputs: bool = _bool()
    quantized_bias_type: int = _int8()


@dataclass(frozen=True)
class AddOptions(Options):
    fused_activation_function: Activation = _activation()
    pot_scale_int16: bool = _bool(True)


@dataclass(frozen=True)
class SubOptions(Options):
    fused_activation_function: Activation = _activation()
    pot_scale_int16: bool = _bool(True)


@dataclass(frozen=True)
class MulOptions(Options):
    fused_activation_function: Activation = _activation()


@dataclass(frozen=True)
class ConcatenationOptions(Options):
    axis: int = _int32()
    fused_activation_function: Activation = _activation()


@dataclass(frozen=True)
class StridedSliceOptions(Options):
    begin_mask: int = _int32()
    end_mask: int = _int32()
    ellipsis_mask: int = _int32()
    new_axis_mask: int = _int32()
    shrink_axis_mask: int = _int32()
    offset: bool = _bool()


@dataclass(frozen=True)
class SplitOptions(Options):
    num_splits: int = _int32()


@dataclass(frozen=True)
class PackOptions(Options):
    values_count: int = _int32()
    axis: int = _int32()


@dataclass(frozen=True)
class UnpackOptions(Options):
    num: int = _int32()
    axis: int = _int32()


@dataclass(frozen=True)
class SpaceToDepthOptions(Options):
    block_size: int = _int32()


@dataclass(frozen=True)
class DepthToSpaceOptions(Options):
    block_size: int = _int32()


@dataclass(frozen=True)
class ReshapeOptions(Options):
    new_shape: tuple[int, ...] = _int32s()


@dataclass(frozen=True)
class SqueezeOptions(Options):
    squeeze_dims: tuple[int, ...] = _int32s()


@dataclass(frozen=True)
class ResizeNearestNeighborOptions(Options):
    align_corners: bool = _bool()
    half_pixel_centers: bool = _bool()


@dataclass(frozen=True)
class ResizeBilinearOptions(Options):
    first_slot: ClassVar[int] = 2
    align_corners: bool = _bool()
    half_pixel_centers: bool = _bool()


@dataclass(frozen=True)
class GatherOptions(Options):
    axis: int = _int32()
    batch_dims: int = _int32()


@dataclass(frozen=True)
class LeakyReluOptions(Options):
    alpha: float = _float32()


@dataclass(frozen=True)
class SoftmaxOptions(Options):
    beta: float = _float32()


@dataclass(frozen=True)
class ReducerOptions(Options):
    keep_dims: bool = _bool()


@dataclass(frozen=True)
class UnidirectionalSequenceLSTMOptions(Options):
    fused_activation_function: Activation = _activation()
    cell_clip: float = _float32()
    proj_clip: float = _float32()
    time_major: bool = _bool()
    asymmetric_quantize_inputs: bool = _bool()
    diagonal_recurrent_tensors: bool = _bool()


@dataclass(frozen=True)
class SVDFOptions(Options):
    rank: int = _int32()
    fused_activation_function: Activation = _activation()
    asymmetric_quantize_inputs: bool = _bool()


@dataclass(frozen=True)
class VarHandleOptions(Options):
    container: str = _string()
    shared_name: str = _string()


@dataclass(frozen=True)
class CallOnceOptions(Options):
    init_subgraph_index: int = _int32()
