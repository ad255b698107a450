"""MEAN, SUM, REDUCE_MAX and REDUCE_MIN over a constant list of axes.

Sources: tensorflow/lite/micro/kernels/reduce_common.cc,
tensorflow/lite/kernels/internal/reference/reduce.h (QuantizedMeanOrSum, ReduceGeneric).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    wrap_int32,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node, Prepare


def resolve_axes(node: Node, rank: int) -> tuple[int, ...]:
    """The distinct axes named by input 1, negative ones counted from the end.

    Source: ResolveAxis in reduce.h.
    """
    axes = node.constant_integers(1)
    if any(not -rank <= axis < rank for axis in axes):
        raise node.error(f"reduces axes {axes} of an input with {rank} dimensions")
    return tuple(dict.fromkeys(axis % rank for axis in axes))


def prepare_mean(node: Node) -> Invoke:
    """y = clamp(z_y + M (sum of x - n z_x)), M = s_x / (s_y n), n cells per mean.

    1 / n is folded into the fixed-point multiplier m: m' = (m << k) / n with k = floor(log2 n),
    limited so that the shift stays within 31 places.
    """
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    axes, count = _reduced(node)
    factor, factor_shift = quantize_multiplier(float(x.scale) / float(y.scale))
    extra = min(count.bit_length() - 1, 32, 31 + int(factor_shift))
    multiplier = (int(factor) << extra) // count
    return _scaled_sum(node, axes, count, multiplier, int(factor_shift) - extra)


def prepare_sum(node: Node) -> Invoke:
    """y = clamp(z_y + M (sum of x - n z_x)), M = s_x / s_y, n cells per sum."""
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    axes, count = _reduced(node)
    factor, factor_shift = quantize_multiplier(float(x.scale) / float(y.scale))
    return _scaled_sum(node, axes, count, int(factor), int(factor_shift))


def _reduced(node: Node) -> tuple[tuple[int, ...], int]:
    """The axes that vanish, and the number of cells that become one."""
    shape, y = node.input(0).shape, node.output()
    axes = resolve_axes(node, len(shape))
    count = math.prod(shape[axis] for axis in axes)
    remaining = math.prod(n for axis, n in enumerate(shape) if axis not in axes)
    if y.array.size != remaining or count == 0:
        raise node.error(f"reduces axes {axes} of shape {shape} to shape {y.shape}")
    return axes, count


def _scaled_sum(
    node: Node, axes: tuple[int, ...], count: int, multiplier: int, shift: int
) -> Invoke:
    x, y = node.input(0), node.output()
    info = np.iinfo(y.array.dtype)
    out = y.array.reshape(-1)

    def invoke() -> None:
        total = x.array.sum(axis=axes, dtype=np.int64).reshape(-1)
        centred = wrap_int32(total - x.zero_point * count)
        scaled = multiply_by_quantized_multiplier(centred, multiplier, shift)
        np.copyto(out, np.clip(scaled + y.zero_point, info.min, info.max), casting="unsafe")

    return invoke


def _extreme(extreme: np.ufunc) -> Prepare:
    """y = the greatest or least of x, of tensors that are quantised alike."""

    def prepare(node: Node) -> Invoke:
        x, y = node.input(0), node.output()
        axes, _ = _reduced(node)
        if (x.scale, x.zero_point) != (y.scale, y.zero_point):
            raise node.error("has an output that is quantised unlike its input, which TFLM refuses")
        source: Any = x.array
        out = y.array.reshape([n for axis, n in enumerate(x.shape) if axis not in axes])

        def invoke() -> None:
            extreme.reduce(source, axis=axes, out=out)

        return invoke

    return prepare


_REFERENCE = "tensorflow/lite/micro/kernels/reduce_common.cc"
_NOTES = "the axes are constants"

KERNELS = {
    "MEAN": Kernel(
        prepare_mean, ("int8, int32 -> int8", "int16, int32 -> int16"), _REFERENCE, _NOTES
    ),
    "SUM": Kernel(
        prepare_sum, ("int8, int32 -> int8", "int16, int32 -> int16"), _REFERENCE, _NOTES
    ),
    "REDUCE_MAX": Kernel(_extreme(np.maximum), ("int8, int32 -> int8",), _REFERENCE, _NOTES),
    "REDUCE_MIN": Kernel(_extreme(np.minimum), ("int8, int32 -> int8",), _REFERENCE, _NOTES),
}
