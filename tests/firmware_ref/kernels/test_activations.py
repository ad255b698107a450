"""Functions of one tensor, element by element, and SOFTMAX: small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_node import run, view

from firmware_ref.errors import ModelError, UnsupportedOpError
from firmware_ref.kernels.logistic_tanh import checked_log2, input_radius
from firmware_ref.options import LeakyReluOptions, SoftmaxOptions

STEPS = np.arange(-128, 128)


def test_logistic_is_the_rounded_function() -> None:
    scale = 1 / 16
    result = run("LOGISTIC", [view(STEPS, scale=scale)], view(STEPS * 0, np.int8, 2**-8, -128))
    exact = np.minimum(256 / (1 + np.exp(-STEPS * scale)) - 128, 127)
    assert np.abs(np.array(result) - exact).max() <= 0.51
    assert result[128] == 0  # logistic(0) = 1/2


def test_logistic_saturates_past_the_radius() -> None:
    # 15 in Q4.27 is 15 steps of scale 1: from there on the ends are returned.
    assert input_radius(4, left_shift=28) == 7
    q = view([-100, 100])
    assert run("LOGISTIC", [q], view([0, 0], np.int8, 2**-8, -128)) == [-128, 127]
    assert run("TANH", [q], view([0, 0], np.int8, 2**-7)) == [-128, 127]


def test_tanh_is_the_rounded_function() -> None:
    scale = 1 / 32
    result = run("TANH", [view(STEPS, scale=scale)], view(STEPS * 0, np.int8, 2**-7))
    exact = np.clip(128 * np.tanh(STEPS * scale), -128, 127)
    assert np.abs(np.array(result) - exact).max() <= 0.51


@pytest.mark.parametrize("name", ["LOGISTIC", "TANH"])
def test_int16_is_the_rounded_function(name: str) -> None:
    q = np.arange(-32768, 32768, 101)
    for scale in (2**-12, 3e-4):  # a power of two, and a general scale
        result = run(name, [view(q, np.int16, scale)], view(q * 0, np.int16, 2**-15))
        real = q * scale
        exact = 1 / (1 + np.exp(-real)) if name == "LOGISTIC" else np.tanh(real)
        assert np.abs(np.array(result) / 32768 - exact).max() < 3e-4


def test_abs_is_around_the_zero_point() -> None:
    x = view([-128, 2, 10], np.int8, 1.0, 2)
    assert run("ABS", [x], view([0] * 3, np.int8, 1.0, -5)) == [125, -5, 3]
    assert run("ABS", [x], view([0] * 3, np.int8, 2.0, 0)) == [65, 0, 4]


def test_rsqrt_is_the_rounded_function() -> None:
    q = np.arange(-127, 128)
    result = run("RSQRT", [view(q, np.int8, 1 / 4, -128)], view(q * 0, np.int8, 2**-6, -128))
    exact = np.minimum(64 / np.sqrt((q + 128) / 4) - 128, 127)
    assert np.abs(np.array(result) - exact).max() <= 0.51


def test_rsqrt_of_zero_is_the_largest_and_of_less_an_error() -> None:
    y = view([0, 0], np.int8, 1.0)
    assert run("RSQRT", [view([3, 4], np.int8, 1.0, 3)], y) == [127, 1]
    with pytest.raises(ModelError, match=r"\(RSQRT\) received a negative number"):
        run("RSQRT", [view([2, 4], np.int8, 1.0, 3)], y)


def test_checked_log2() -> None:
    assert checked_log2(np.float32(2**-12)) == (-12, True)
    assert checked_log2(np.float32(0.9 * 2**-12)) == (-12, False)


def test_relu_rescales() -> None:
    # real 2 (q - 1); output step 1, zero point -10
    q = view([-5, 1, 3, 100], scale=2.0, zero_point=1)
    assert run("RELU", [q], view([0] * 4, scale=1.0, zero_point=-10)) == [-10, -10, -6, 127]


def test_relu6_only_clamps() -> None:
    q = view([-5, 1, 3, 100], scale=2.0, zero_point=1)  # 6 is 3 steps above the zero point
    assert run("RELU6", [q], view([0] * 4)) == [1, 1, 3, 4]


@pytest.mark.parametrize(("alpha", "expected"), [(0.5, [-50, -1, 3]), (-0.5, [50, 1, 3])])
def test_leaky_relu(alpha: float, expected: list[int]) -> None:
    q = view([-100, -2, 3])
    assert run("LEAKY_RELU", [q], view([0] * 3), LeakyReluOptions(alpha=alpha)) == expected


def test_prelu_broadcasts_alpha() -> None:
    x = view([[[[-10, -10], [4, -7]]]])
    alpha = view([[[1, 3]]], scale=0.5)  # real 0.5 and 1.5, per channel
    # -7 * 1.5 = -10.5: the doubling multiplication rounds ties up.
    assert run("PRELU", [x, alpha], view(x.array * 0)) == [[[[-5, -15], [4, -10]]]]


def test_hard_swish() -> None:
    scale = 1 / 16
    real = STEPS * scale
    result = run("HARD_SWISH", [view(STEPS, scale=scale)], view(STEPS * 0, scale=scale))
    exact = real * np.clip(real + 3, 0, 6) / 6 / scale
    assert np.abs(np.array(result) - exact).max() <= 1
    assert result[:60] == [0] * 60  # below -3 hard swish is 0


def test_softmax_of_equal_inputs_is_uniform() -> None:
    options = SoftmaxOptions(beta=1.0)
    x = view([[7, 7, 7, 7]], scale=0.1)
    assert run("SOFTMAX", [x], view([[0] * 4], np.int8, 2**-8, -128), options) == [[-64] * 4]
    result = run("SOFTMAX", [x], view([[0] * 4], np.int16, 2**-16, -32768), options)
    assert result == [[-16384] * 4]


def test_softmax_follows_the_function() -> None:
    x = np.array([[-100, 0, 40, 60], [127, -128, 126, 0]])
    exponentials = np.exp(x * 0.05)
    exact = exponentials / exponentials.sum(axis=1, keepdims=True)
    options = SoftmaxOptions(beta=1.0)
    for out, scale in (
        (view(x * 0, np.int8, 2**-8, -128), 2**-8),
        (view(x * 0, np.int16, 2**-16, -32768), 2**-16),
    ):
        result = np.array(run("SOFTMAX", [view(x, scale=0.05)], out, options))
        assert np.abs((result - out.zero_point) * scale - exact).max() <= scale
    wide = view(x * 0, np.int16, 2**-15)
    result = np.array(run("SOFTMAX", [view(x, np.int16, 0.05)], wide, options))
    assert np.abs(result * 2**-15 - exact).max() < 1e-3


@pytest.mark.parametrize(
    ("name", "x", "y", "message"),
    [
        ("LOGISTIC", view([0]), view([0], np.int8, 2**-8, 0), "zero point -128, received 0"),
        ("LOGISTIC", view([0], scale=None), view([0], np.int8, 2**-8, -128), "scale above 0"),
        ("TANH", view([0], np.int16, 1.0, 4), view([0], np.int16, 2**-15), "received 4 and 0"),
        ("TANH", view([0], np.int16), view([0], np.int16, 2**-14), r"scale of 2\^-15"),
        ("RELU", view([0, 0]), view([0]), r"shape \(2,\) into one of shape \(1,\)"),
        ("RELU", view([0], np.int16, 1.0, 1), view([0], np.int16), "received 1 and 0"),
        ("HARD_SWISH", view([0], scale=1.0), view([0], scale=1e-3), "at least 1/128"),
        ("SOFTMAX", view([0]), view([0], np.int8, 2**-7, -128), "scale 0.00390625"),
        ("SOFTMAX", view([0], scale=1e-9), view([0], np.int8, 2**-8, -128), "above 2"),
    ],
)
def test_what_tflm_refuses_is_refused(name, x, y, message) -> None:
    options = SoftmaxOptions(beta=1.0) if name == "SOFTMAX" else None
    with pytest.raises(ModelError, match=message) as caught:
        run(name, [x], y, options)
    assert f"operator 3 ({name})" in str(caught.value)


def test_other_types_are_refused_by_name() -> None:
    with pytest.raises(UnsupportedOpError, match=r"RELU.*`float32 -> float32`.*int8 -> int8"):
        run("RELU", [view([0.0], np.float32, None)], view([0.0], np.float32, None))
