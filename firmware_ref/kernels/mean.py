"""MEAN over a constant list of axes.

Sources: tensorflow/lite/micro/kernels/reduce_common.cc,
tensorflow/lite/kernels/internal/reference/reduce.h (QuantizedMeanOrSum).
"""

from __future__ import annotations

import math

import numpy as np

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    wrap_int32,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node

# kMaxNumberOfReducedAxis: TFLM writes past an array on its stack when there are more.
_MAX_AXES = 2


def resolve_axes(node: Node, rank: int) -> tuple[int, ...]:
    """The distinct axes named by input 1, negative ones counted from the end.

    Source: ResolveAxis in reduce.h.
    """
    axes = [int(axis) for axis in node.constant(1).reshape(-1)]
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
    axes = resolve_axes(node, len(x.shape))
    if len(axes) > _MAX_AXES:
        raise node.error(f"reduces {len(axes)} axes, TFLM at most {_MAX_AXES}")
    count = math.prod(x.shape[axis] for axis in axes)
    remaining = math.prod(n for axis, n in enumerate(x.shape) if axis not in axes)
    if y.array.size != remaining or count == 0:
        raise node.error(f"reduces axes {axes} of shape {x.shape} to shape {y.shape}")
    factor, factor_shift = quantize_multiplier(float(x.scale) / float(y.scale))
    extra = min(count.bit_length() - 1, 32, 31 + int(factor_shift))
    multiplier = (int(factor) << extra) // count
    shift = int(factor_shift) - extra
    info = np.iinfo(y.array.dtype)
    out = y.array.reshape(-1)

    def invoke() -> None:
        total = x.array.sum(axis=axes, dtype=np.int64).reshape(-1)
        centred = wrap_int32(total - x.zero_point * count)
        scaled = multiply_by_quantized_multiplier(centred, multiplier, shift)
        np.copyto(out, np.clip(scaled + y.zero_point, info.min, info.max), casting="unsafe")

    return invoke


KERNELS = {
    "MEAN": Kernel(
        prepare_mean,
        ("int8, int32 -> int8", "int16, int32 -> int16"),
        "tensorflow/lite/micro/kernels/reduce_common.cc",
        notes=f"constant axes, at most {_MAX_AXES} of them, as in TFLM",
    )
}
