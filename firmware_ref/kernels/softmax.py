"""SOFTMAX over the last axis: int8 in fixed point, int16 by tables.

Sources: tensorflow/lite/micro/kernels/softmax_common.cc (Prepare),
tensorflow/lite/kernels/internal/reference/softmax.h.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    rounding_divide_by_pot,
    saturating_rounding_doubling_high_mul,
    wrap_int32,
)
from firmware_ref.fixed_point_functions import (
    count_leading_zeros_32,
    exp_on_negative_values,
    reciprocal,
)
from firmware_ref.int16_table import int16_table, look_up
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.logistic_tanh import input_radius
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node
from firmware_ref.options import SoftmaxOptions

_DIFFERENCE_INTEGER_BITS = 5  # x - max(x) is rescaled to Q5.26
_SUM_INTEGER_BITS = 12  # exponentials are summed in Q12.19


def _check_output(node: Node, *, scale: float, zero_point: int) -> None:
    """The output's quantisation is fixed; that of int16 may be off by a thousandth."""
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    if x.shape != y.shape or x.array.size == 0 or x.array.ndim == 0:
        raise node.error(
            "needs an output of the input's shape and at least one element along the last axis, "
            f"received {x.shape} and {y.shape}"
        )
    tolerance = 0.0 if y.array.dtype == np.int8 else 0.001 * scale
    if y.zero_point != zero_point or abs(float(y.scale) - scale) > tolerance:
        raise node.error(
            f"needs an output with scale {scale} and zero point {zero_point}, "
            f"received {y.scale} and {y.zero_point}"
        )


def prepare_softmax(node: Node) -> Invoke:
    """y_i = exp(beta (x_i - max x)) / sum_j exp(beta (x_j - max x)), over the last axis.

    e_d = exp of the difference d in Q0.31, 0 for d below the radius of Q5.26;
    1 / sum = r 2^-k; y = clamp(qmin + round(r e_d 2^-(k + 31 - bits of y))).
    The 256 possible differences make a table of exponentials.
    """
    x, y = node.input(0), node.output()
    info = np.iinfo(y.array.dtype)
    bits = y.array.dtype.itemsize * 8
    _check_output(node, scale=2.0**-bits, zero_point=int(info.min))
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


def _negative_exp(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.exp(x, dtype=np.float32)


def _one_over_one_plus(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.float32(1) / (np.float32(1) + x)


def prepare_softmax_int16(node: Node) -> Invoke:
    """y_i = e_i / sum_j e_j with e_i = exp(beta (x_i - max x)), both functions from tables.

    The difference is scaled so that -65535 is -10, below which exp counts as at -10. The sum is
    normalised to 1 + f, f in [0, 1), whose reciprocal is the second table's.
    """
    x, y = node.input(0), node.output()
    _check_output(node, scale=2.0**-15, zero_point=0)
    if x.zero_point != 0:
        raise node.error(f"needs an int16 input with zero point 0, received {x.zero_point}")
    beta = float(np.float32(node.options(SoftmaxOptions).beta))
    multiplier, shift = quantize_multiplier(float(x.scale) * beta / (10.0 / 65535.0))
    exp_table = int16_table(_negative_exp, -10.0, 0.0)
    reciprocal_table = int16_table(_one_over_one_plus, 0.0, 1.0)
    rows = x.array.reshape(-1, x.shape[-1])  # (outer, depth)
    out = y.array.reshape(rows.shape)

    def invoke() -> None:
        values = rows.astype(np.int64)
        differences = values - values.max(axis=1, keepdims=True)  # (outer, depth)
        scaled = multiply_by_quantized_multiplier(differences, multiplier, shift)
        exponentials = look_up(np.clip(scaled + 32767, -32768, 32767), exp_table)
        total = exponentials.sum(axis=1, keepdims=True)  # (outer, 1)
        headroom_plus_one = count_leading_zeros_32(total)
        normalised = ((total << (headroom_plus_one - 1)) + (1 << 13)) >> 14  # 1 + f in Q.16
        fraction = np.clip(normalised - ((1 << 15) + (1 << 16)), -32768, 32767)
        right_shift = 31 - headroom_plus_one
        product = exponentials * look_up(fraction, reciprocal_table)
        result = (product + (np.int64(1) << (right_shift - 1))) >> right_shift
        np.copyto(out, np.clip(result, 0, 32767), casting="unsafe")

    return invoke


def _prepare(node: Node) -> Invoke:
    is_int16 = node.input(0).array.dtype == np.int16
    return prepare_softmax_int16(node) if is_int16 else prepare_softmax(node)


KERNELS = {
    "SOFTMAX": Kernel(
        _prepare,
        ("int8 -> int8", "int8 -> int16", "int16 -> int16"),
        "tensorflow/lite/kernels/internal/reference/softmax.h",
    )
}
