"""gemmlowp's functions stay within their known error of the real functions.

Their exactness is shown by the oracle tests of LOGISTIC, TANH and SOFTMAX.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_ref.fixed_point_functions import (
    count_leading_zeros_32,
    exp_on_negative_values,
    logistic,
    one_minus_x_over_one_plus_x,
    one_over_one_plus_x,
    reciprocal,
    tanh,
)

Q0 = 2.0**31


@pytest.mark.parametrize("integer_bits", [0, 3, 5])
def test_exp(integer_bits: int) -> None:
    raw = -np.linspace(0, 2**31, 4001).astype(np.int64)
    real = raw / 2.0 ** (31 - integer_bits)
    result = exp_on_negative_values(raw, integer_bits) / Q0
    np.testing.assert_allclose(result, np.exp(real), atol=1e-6)


def test_logistic_and_tanh() -> None:
    raw = np.linspace(-(2**31) + 1, 2**31 - 1, 4001).astype(np.int64)
    real = raw / 2.0**27
    np.testing.assert_allclose(logistic(raw, 4) / Q0, 1 / (1 + np.exp(-real)), atol=1e-6)
    np.testing.assert_allclose(tanh(raw, 4) / Q0, np.tanh(real), atol=1e-6)


def test_logistic_and_tanh_of_zero_are_exact() -> None:
    assert logistic(0, 4) == 2**30
    assert tanh(0, 4) == 0


def test_quotients() -> None:
    raw = np.linspace(0, 2**31 - 1, 4001).astype(np.int64)
    real = raw / Q0
    np.testing.assert_allclose(one_over_one_plus_x(raw) / Q0, 1 / (1 + real), atol=1e-6)
    np.testing.assert_allclose(
        one_minus_x_over_one_plus_x(raw) / Q0, (1 - real) / (1 + real), atol=1e-6
    )


@given(st.integers(1, 2**32 - 1))
def test_count_leading_zeros(x: int) -> None:
    assert count_leading_zeros_32(x) == 32 - x.bit_length()


@given(st.integers(2**19, 2**31 - 1))
def test_reciprocal(x: int) -> None:
    mantissa, exponent = (int(v) for v in reciprocal(x, integer_bits=12))
    real = x / 2.0**19
    assert mantissa / Q0 / 2.0**exponent == pytest.approx(1 / real, abs=1e-6)
