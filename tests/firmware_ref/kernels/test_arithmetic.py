"""Operators with two operands: small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_node import prepared, run, view

from firmware_ref.errors import ModelError
from firmware_ref.options import Activation, AddOptions, MulOptions


def test_add_of_different_scales():
    x1 = view([10, -10, 127], np.int8, 1.0, 0)
    x2 = view([3, 1, 127], np.int8, 0.5, 1)  # real 1, 0, 63
    assert run("ADD", [x1, x2], view([0] * 3, np.int8, 2.0, -5)) == [1, -10, 90]


def test_sub_saturates():
    x1, x2 = view([100, -100], np.int8, 1.0), view([-100, 100], np.int8, 1.0)
    assert run("SUB", [x1, x2], view([0, 0], np.int8, 1.0)) == [127, -128]


def test_mul_rounds_ties_away_from_zero():
    x1, x2 = view([2, -2, 6, 100], np.int8, 1.0), view([1, 1, 1, 100], np.int8, 1.0)
    assert run("MUL", [x1, x2], view([0] * 4, np.int8, 4.0)) == [1, -1, 2, 127]


def test_broadcasts_rows_columns_and_scalars():
    x = view([[1, 2, 3], [4, 5, 6]])
    for other, expected in (
        ([[10, 20, 30]], [[11, 22, 33], [14, 25, 36]]),
        ([[10], [20]], [[11, 12, 13], [24, 25, 26]]),
        (7, [[8, 9, 10], [11, 12, 13]]),
    ):
        result = run("ADD", [x, view(other)], view(np.zeros((2, 3))))
        assert result == expected
        result = run("ADD", [view(other, constant=True), x], view(np.zeros((2, 3))))
        assert result == expected


def test_int16():
    x1, x2 = view([30000, -5], np.int16, 2.0**-10), view([30000, 2], np.int16, 2.0**-10)
    assert run("ADD", [x1, x2], view([0, 0], np.int16, 2.0**-10)) == [32767, -3]
    assert run("SUB", [x1, x2], view([0, 0], np.int16, 2.0**-10)) == [0, -7]
    assert run("MUL", [x1, x2], view([0, 0], np.int16, 2.0**-4)) == [13733, 0]


def test_squared_difference():
    x1, x2 = view([10, -10, 100], np.int8, 0.5), view([4, -8, -100], np.int8, 1.0)
    # real 5 - 4, -5 + 8, 50 + 100
    y = view([0] * 3, np.int8, 0.25, -100)
    assert run("SQUARED_DIFFERENCE", [x1, x2], y) == [-96, -64, 127]


def test_the_greater_and_the_smaller_one():
    x1, x2 = view([[1], [5]]), view([3, -2])
    assert run("MAXIMUM", [x1, x2], view(np.zeros((2, 2)))) == [[3, 1], [5, 5]]
    assert run("MINIMUM", [x1, x2], view(np.zeros((2, 2)))) == [[1, -2], [3, -2]]


def test_of_a_number_and_what_is_none_the_second_is_taken():
    numbers = [view([np.nan, 1.0], np.float32, None), view([1.0, np.nan], np.float32, None)]
    result = run("MAXIMUM", numbers, view([0.0, 0.0], np.float32, None))
    np.testing.assert_array_equal(result, [1.0, np.nan])


def test_fused_activations():
    x1, x2 = view([-5, 2, 9]), view([0, 0, 0])
    y = view([0] * 3)
    assert run("ADD", [x1, x2], y, AddOptions(Activation.RELU6)) == [0, 2, 6]
    ones = view([1, 1, 1])
    assert run("MUL", [x1, ones], y, MulOptions(Activation.RELU_N1_TO_1)) == [-1, 1, 1]


@pytest.mark.parametrize(
    ("name", "inputs", "output", "message"),
    [
        ("ADD", [view([1, 2]), view([1, 2, 3])], view([0, 0, 0]), "cannot broadcast"),
        ("MUL", [view([1]), view([1, 2, 3])], view([0, 0]), "cannot broadcast"),
        ("ADD", [view([1], scale=None), view([1])], view([0]), "needs a scale|not quantised"),
        (
            "ADD",
            [view([1], np.int16, 1e6), view([1], np.int16)],
            view([0], np.int16, 1.0),
            "too coarse",
        ),
    ],
)
def test_contradictions_are_named(name, inputs, output, message):
    with pytest.raises(ModelError, match=rf"operator 3 \({name}\).*({message})"):
        prepared(name, inputs, [output])
