"""Factors as the kernels take them: multiplier * 2^(-32 - shift)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def kernel_shift(shift: ArrayLike) -> NDArray[np.int64]:
    """The kernels' shift for one of quantize_multiplier, whose factor is m * 2^(shift - 31)."""
    return -1 - np.asarray(shift, np.int64)


def kernel_rounding(zero_point: int, shift: ArrayLike) -> NDArray[np.int64]:
    """What the kernels add before they shift by `shift` (a kernel_shift) and one more."""
    return (2 * zero_point + 1) << np.maximum(np.asarray(shift, np.int64), 0)
