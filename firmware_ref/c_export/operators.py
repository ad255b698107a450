"""The table of exportable operators: name -> what emits it."""

from __future__ import annotations

from collections.abc import Callable

from firmware_ref.c_export.additions import emit_add
from firmware_ref.c_export.convolutions import emit_conv_2d, emit_depthwise_conv_2d
from firmware_ref.c_export.copies import (
    emit_concatenation,
    emit_contiguous,
    emit_pad,
    emit_resize_nearest_neighbor,
    emit_strided_slice,
)
from firmware_ref.c_export.emitter import Emitter
from firmware_ref.c_export.moves import RESHAPES
from firmware_ref.c_export.nodes import TABLE_OPERATORS
from firmware_ref.c_export.steps import Step
from firmware_ref.c_export.tables import emit_lookup

EMITTERS: dict[str, Callable[[Emitter, Step], None]] = {
    "ADD": emit_add,
    "CONCATENATION": emit_concatenation,
    "CONV_2D": emit_conv_2d,
    "DEPTHWISE_CONV_2D": emit_depthwise_conv_2d,
    "PAD": emit_pad,
    "RESIZE_NEAREST_NEIGHBOR": emit_resize_nearest_neighbor,
    "STRIDED_SLICE": emit_strided_slice,
    **dict.fromkeys(RESHAPES, emit_contiguous),
    **dict.fromkeys(TABLE_OPERATORS, emit_lookup),
}
