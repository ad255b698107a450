"""SOFTMAX over the last axis: int8 to int8 or int16, in fixed point.

Sources: tensorflow/lite/micro/kernels/softmax_common.cc (Prepare),
tensorflow/lite/kernels/internal/reference/softmax.h.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.fixed_point import (
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)
from firmware_ref.fixed_point_functions import exp_on_negative_values, reciprocal
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.logistic_tanh import input_radius
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node
from firmware_ref.options import SoftmaxOptions

_DIFFERENCE_INTEGER_BITS = 5  # x - max(x) is rescaled to Q5.26
_SUM_INTEGER_BITS = 12  # exponentials are summed in Q12.19


def prepare_softmax(node: Node) -> Invoke:
    """y_i = exp(beta (x_i - max x)) / sum_j exp(beta (x_j - max x)), over the last axis.

    e_d = exp of the difference d in Q0.31, 0 for d below the radius of Q5.26;
    1 / sum = r 2^-k; y = clamp(qmin + round(r e_d 2^-(k + 31 - bits of y))).
    The 256 possible differences make a table of exponentials.
    """
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    if x.shape != y.shape or x.array.size == 0 or x.array.ndim == 0:
        raise node.error(
            "needs an output of the input's shape and at least one element along the last axis, "
            f"received {x.shape} and {y.shape}"
        )
    info = np.iinfo(y.array.dtype)
    bits = y.array.dtype.itemsize * 8
    expected_scale = np.float32(1.0 / 2**bits)
    exact = y.scale == expected_scale if bits == 8 else (
        abs(y.scale - expected_scale) <= np.float32(0.001) * expected_scale
    )  # fmt: skip
    if y.zero_point != info.min or not exact:
        raise node.error(
            f"needs an output with scale 1/{2**bits} and zero point {info.min}, "
            f"received {y.scale} and {y.zero_point}"
        )
    beta = float(np.float32(node.options(SoftmaxOptions).beta))
    factor = beta * float(x.scale) * 2.0 ** (31 - _DIFFERENCE_INTEGER_BITS)
    if not factor > 1.0:
        raise node.error(f"needs beta * input scale above 2^-26, received {beta} * {x.scale}")
    multiplier, left_shift = quantize_multiplier(min(factor, 2.0**31 - 1.0))
    smallest = -input_radius(_DIFFERENCE_INTEGER_BITS, int(left_shift))

    differences = np.arange(-255, 1, dtype=np.int64)
    counted = differences >= smallest
    rescaled = saturating_rounding_doubling_high_mul(
        wrap_int32(np.where(counted, differences, 0) << left_shift), multiplier
    )
    exponentials = exp_on_negative_values(rescaled, _DIFFERENCE_INTEGER_BITS)
    exponentials = np.where(counted, exponentials, 0)
    summands = rounding_divide_by_pot(exponentials, _SUM_INTEGER_BITS)

    rows = x.array.reshape(-1, x.shape[-1])  # (outer, depth)
    out = y.array.reshape(rows.shape)

    def invoke() -> None:
        values = rows.astype(np.int64)
        index = values - values.max(axis=1, keepdims=True) + 255  # (outer, depth), in 0..255
        total = summands[index].sum(axis=1, keepdims=True)  # (outer, 1)
        scale, bits_over_unit = reciprocal(total, _SUM_INTEGER_BITS)
        product = saturating_rounding_doubling_high_mul(scale, exponentials[index])
        result = rounding_divide_by_pot(product, bits_over_unit + 31 - bits)
        np.copyto(out, np.minimum(result + info.min, info.max), casting="unsafe")

    return invoke


KERNELS = {
    "SOFTMAX": Kernel(
        prepare_softmax,
        ("int8 -> int8", "int8 -> int16"),
        "tensorflow/lite/kernels/internal/reference/softmax.h",
    )
}
