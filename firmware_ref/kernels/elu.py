"""ELU on int8, as a table that is worked out in single precision.

Source: tensorflow/lite/micro/kernels/elu.cc.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import round_half_away
from firmware_ref.kernels.elementwise_table import elementwise
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node


def prepare_elu(node: Node) -> Invoke:
    """y = clamp(z_y + round(f(s_x (x - z_x)) / s_y)), f(x) = x above 0, else exp(x) - 1.

    The exponential is the float32 nearest to the true one, as a good C library gives it.
    """
    x, y = node.input(0), node.output()
    require_scales(node, x, y)
    steps_per_unit = np.float32(1) / y.scale
    if float(x.scale) * 255 * float(steps_per_unit) >= 2.0**31:
        raise node.error("scales beyond int32, for which TFLM's result is undefined")
    info = np.iinfo(np.int8)

    def elu(q: NDArray[Any]) -> NDArray[Any]:
        real = x.scale * (q.astype(np.int32) - x.zero_point).astype(np.float32)
        exponential = np.exp(np.minimum(real, 0).astype(np.float64)).astype(np.float32)
        value = np.where(real < 0, exponential - np.float32(1), real)
        rounded = round_half_away(value * steps_per_unit) + np.float32(y.zero_point)
        return np.clip(np.trunc(rounded), info.min, info.max)

    return elementwise(node, elu)


KERNELS = {
    "ELU": Kernel(prepare_elu, ("int8 -> int8",), "tensorflow/lite/micro/kernels/elu.cc"),
}
