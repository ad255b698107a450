"""The clamp that a fused activation puts on a quantised output.

Source: CalculateActivationRangeQuantized in tensorflow/lite/kernels/kernel_util.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.fixed_point import INT32_MAX, round_half_away
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Node, View
from firmware_ref.options import Activation

_REAL_RANGES: dict[Activation, tuple[float | None, float | None]] = {
    Activation.NONE: (None, None),
    Activation.RELU: (0.0, None),
    Activation.RELU_N1_TO_1: (-1.0, 1.0),
    Activation.RELU6: (0.0, 6.0),
}


def activation_range(node: Node, activation: Activation, y: View) -> tuple[int, int]:
    """(low, high): the real range of `activation` quantised like `y`, within the range of its type.

    q(r) = z + round(r / s), the quotient in float32, ties away from zero.

    Raises:
        ModelError: `y` has no scale, or too fine a one; or the activation is TANH or SIGN_BIT,
            which TFLM's integer kernels would silently leave out.
    """
    if activation not in _REAL_RANGES:
        raise node.error(
            f"fuses the activation {activation.name}, which integer kernels do not apply; "
            f"expected one of {', '.join(a.name for a in _REAL_RANGES)}"
        )
    require_scales(node, y)
    info = np.iinfo(y.array.dtype)
    low, high = _REAL_RANGES[activation]

    def quantised(real: float) -> int:
        return y.zero_point + quantised_steps(node, real, y.scale)

    return (
        int(info.min) if low is None else max(int(info.min), quantised(low)),
        int(info.max) if high is None else min(int(info.max), quantised(high)),
    )


def quantised_steps(node: Node, real: float, scale: np.float32) -> int:
    """round(real / scale), the quotient in float32, ties away from zero.

    Raises:
        ModelError: more than 2^31 - 1 steps.
    """
    with np.errstate(over="ignore"):
        steps = np.float32(real) / scale
    if abs(steps) > INT32_MAX:
        raise node.error(
            f"has a scale of {scale:g}, too fine for the bound {real:g} of its activation; TFLM "
            "refuses more than 2^31 - 1 steps"
        )
    return int(round_half_away(steps))
