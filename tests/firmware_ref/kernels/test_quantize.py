"""QUANTIZE and DEQUANTIZE: small cases worked out by hand."""

from __future__ import annotations

import numpy as np
from kernel_node import run, view


def test_float_to_int8_rounds_ties_away_and_saturates() -> None:
    real = view([0.25, -0.25, 0.24, 1000.0, -1000.0], np.float32, None)
    # steps of 0.5: 0.5 -> 1, -0.5 -> -1, 0.48 -> 0
    assert run("QUANTIZE", [real], view([0] * 5, np.int8, 0.5, 3)) == [4, 2, 3, 127, -128]


def test_float_beyond_int32_saturates_and_nan_is_zero() -> None:
    real = view([1e30, -1e30, np.inf, -np.inf, np.nan], np.float32, None)
    result = run("QUANTIZE", [real], view([0] * 5, np.int16, 1e-3))
    assert result == [32767, -32768, 32767, -32768, 0]


def test_int8_to_int8_rescales() -> None:
    # real 0.5 (q - 1); output step 0.25, zero point -2
    q = view([1, 2, -30, 100], np.int8, 0.5, 1)
    assert run("QUANTIZE", [q], view([0] * 4, np.int8, 0.25, -2)) == [-2, 0, -64, 127]


def test_int32_to_int16() -> None:
    q = view([100_000, -7, 2**31 - 1], np.int32, 2**-10)
    assert run("QUANTIZE", [q], view([0] * 3, np.int16, 2**-4)) == [1563, 0, 32767]


def test_dequantize() -> None:
    q = view([-128, 3, 127], np.int8, 0.5, 3)
    assert run("DEQUANTIZE", [q], view([0.0] * 3, np.float32, None)) == [-65.5, 0.0, 62.0]
