"""SVDF on int8: a rank-r filter over time, its state kept in a variable tensor.

Source: tensorflow/lite/micro/kernels/svdf_common.cc (EvalIntegerSvdfReference).
"""

from __future__ import annotations

import numpy as np

from firmware_ref.fixed_point import (
    multiply_by_quantized_multiplier,
    quantize_multiplier,
    wrap_int32,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node
from firmware_ref.options import SVDFOptions


def prepare_svdf(node: Node) -> Invoke:
    """Shift the state, push the new feature, weigh the memory, sum over the rank.

    f = M1 sum_i w_feature (x_i - z_x)           pushed as clamp(f) + z_state
    y = clamp(z_y + M2 (bias + sum_rank sum_t w_time (state_t - z_state)))
    M1 = s_x s_feature / s_state, M2 = s_state s_time / s_y, in double precision. The pushed sum
    wraps when it leaves the state's type, as in the TFLM release that the tests compare with.

    Shapes: x (batch, input), w_feature (filters, input), w_time (filters, memory), bias (units,),
    state (batch, filters * memory), y (batch, units), filters = units * rank.
    """
    x, feature, time, bias, state = (node.optional_input(i) for i in range(5))
    y = node.output()
    if x is None or feature is None or time is None or bias is None or state is None:
        raise node.error("needs input, feature weights, time weights, bias and state")
    rank = node.options(SVDFOptions).rank
    if len(x.shape) != 2 or len(feature.shape) != 2 or len(time.shape) != 2 or rank < 1:
        raise node.error(
            f"needs 2-D tensors and a positive rank, received {x.shape}, {feature.shape}, "
            f"{time.shape} and rank {rank}"
        )
    batch, (filters, memory) = x.shape[0], time.shape
    if (
        feature.shape != (filters, x.shape[1])
        or filters % rank != 0
        or state.shape != (batch, filters * memory)
        or y.shape != (batch, filters // rank)
        or bias.shape != (filters // rank,)
    ):
        raise node.error(
            f"has tensors that do not fit together: input {x.shape}, feature {feature.shape}, "
            f"time {time.shape}, bias {bias.shape}, state {state.shape}, output {y.shape}, "
            f"rank {rank}"
        )
    if not state.tensor.is_variable:
        raise node.error("needs a variable tensor as its state")
    require_scales(node, x, feature, time, state, y)
    bias_scale = float(state.scale) * float(time.scale)
    if abs(float(bias.scale) - bias_scale) >= 1e-5:
        raise node.error(f"needs a bias of scale {bias_scale}, received {bias.scale}")
    in_scale = quantize_multiplier(float(x.scale) * float(feature.scale) / float(state.scale))
    out_scale = quantize_multiplier(bias_scale / float(y.scale))
    info = np.iinfo(state.array.dtype)
    flat_state = state.array.reshape(-1)
    memories = state.array.reshape(batch, filters, memory)
    feature_weights = feature.array.astype(np.float64).T  # (input, filters)
    time_weights = time.array.astype(np.int64)
    biases = bias.array.astype(np.int64)

    def invoke() -> None:
        # One step for the whole buffer; the newest column, then wrong, is overwritten.
        flat_state[:-1] = flat_state[1:].copy()
        # float64 sums of int8 products are exact.
        dot = (x.array.astype(np.float64) - x.zero_point) @ feature_weights  # (batch, filters)
        pushed = multiply_by_quantized_multiplier(dot.astype(np.int64), *in_scale)
        newest = np.clip(pushed, info.min, info.max) + state.zero_point
        np.copyto(memories[:, :, -1], newest, casting="unsafe")
        weighed = (memories.astype(np.int64) - state.zero_point) * time_weights
        per_filter = weighed.sum(axis=2).reshape(batch, -1, rank)  # (batch, units, rank)
        acc = wrap_int32(per_filter.sum(axis=2) + biases)
        result = multiply_by_quantized_multiplier(acc, *out_scale) + y.zero_point
        np.copyto(y.array, np.clip(result, -128, 127), casting="unsafe")

    return invoke


KERNELS = {
    "SVDF": Kernel(
        prepare_svdf,
        (
            "int8, int8, int8, int32, int8 -> int8",
            "int8, int8, int16, int32, int16 -> int8",
        ),
        "tensorflow/lite/micro/kernels/svdf_common.cc",
        notes="the fused activation is not applied to integers, as in TFLM",
    )
}
