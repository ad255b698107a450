"""MAX_POOL_2D, AVERAGE_POOL_2D, MEAN and its kin: small cases worked out by hand."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from kernel_node import run, view

from firmware_ref.errors import ModelError
from firmware_ref.options import Activation, Padding, Pool2DOptions, ReducerOptions


def image(rows: list[list[int]]) -> np.ndarray:
    return np.array(rows)[np.newaxis, :, :, np.newaxis]  # (1, height, width, 1)


def pool(
    name: str, x: np.ndarray, out: tuple[int, int], options: Pool2DOptions, scale: float = 1.0
) -> list[list[int]]:
    y = view(np.zeros((1, *out, 1)), scale=scale)
    run(name, [view(x, scale=scale)], y, options)
    return y.array[0, :, :, 0].tolist()


TWO_BY_TWO = Pool2DOptions(Padding.VALID, 2, 2, 2, 2)


def test_max() -> None:
    x = image([[1, -9, 4, 3], [5, 2, -7, -8]])
    assert pool("MAX_POOL_2D", x, (1, 2), TWO_BY_TWO) == [[5, 4]]


def test_average_rounds_ties_away_from_zero() -> None:
    # sums 6, -6, 7, -7 of four cells: 1.5 -> 2, -1.5 -> -2, 1.75 -> 2, -1.75 -> -2
    x = image([[1, 2, -1, -2, 3, 4, -3, -4], [3, 0, -3, 0, 0, 0, 0, 0]])
    assert pool("AVERAGE_POOL_2D", x, (1, 4), TWO_BY_TWO) == [[2, -2, 2, -2]]


def test_average_counts_the_cells_inside_only() -> None:
    same = Pool2DOptions(Padding.SAME, 2, 2, 2, 2)
    # 3 x 3 padded at the end: windows of 4, 2, 2 and 1 cells
    x = image([[4, 8, 10], [0, 4, 20], [9, 11, 7]])
    assert pool("AVERAGE_POOL_2D", x, (2, 2), same) == [[4, 15], [10, 7]]


def test_max_ignores_the_padding() -> None:
    same = Pool2DOptions(Padding.SAME, 1, 1, 3, 3)
    x = image([[-5, -6], [-7, -8]])
    assert pool("MAX_POOL_2D", x, (2, 2), same) == [[-5, -5], [-5, -5]]


def test_fused_activation_clamps() -> None:
    options = Pool2DOptions(Padding.VALID, 1, 1, 1, 1, Activation.RELU6)
    x = image([[-3, 2, 100]])
    assert pool("MAX_POOL_2D", x, (1, 3), options, scale=0.5) == [[0, 2, 12]]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (view(np.zeros((1, 2, 2, 1))), r"output of shape \(1, 2, 2, 1\), expected \(1, 1, 2, 1\)"),
        (view(np.zeros((1, 1, 2, 1)), scale=2.0), "same quantisation"),
    ],
)
def test_pooling_refuses(y, message) -> None:
    with pytest.raises(ModelError, match=message):
        run("MAX_POOL_2D", [view(np.zeros((1, 2, 4, 1)))], y, TWO_BY_TWO)


def reduce(name: str, x: np.ndarray, axes: list[int], y, scale: float = 1.0, zero_point: int = 0):
    axis = view(axes, np.int32, None, constant=True)
    return run(name, [view(x, np.int8, scale, zero_point), axis], y, ReducerOptions())


mean = partial(reduce, "MEAN")


def test_mean_over_an_axis_counted_from_the_end() -> None:
    x = np.array([[1, 2, 3, 6], [10, 20, 30, 41]])
    # 101 / 4 rounds twice: 101 / 2 = 50.5 -> 51, then 51 / 2 = 25.5 -> 26.
    assert mean(x, [-1], view([0, 0])) == [3, 26]


def test_mean_rescales() -> None:
    # real 0.5 (q - 2): mean 4.0; output step 0.25, zero point 1 -> 17
    assert mean(np.array([[8, 12]]), [0, 1], view([0], np.int8, 0.25, 1), 0.5, 2) == [17]


def test_mean_takes_an_axis_once() -> None:
    assert mean(np.array([3, 5]), [0, -1], view(0)) == 4


@pytest.mark.parametrize(
    ("axes", "y", "message"),
    [
        ([3], view([0]), r"axes \[3\] of an input with 3 dimensions"),
        ([0], view([0]), "reduces axes"),
    ],
)
def test_mean_refuses(axes, y, message) -> None:
    with pytest.raises(ModelError, match=message):
        mean(np.zeros((2, 2, 2)), axes, y)


def test_sum_saturates_and_rescales() -> None:
    x = np.array([[100, 100], [-3, 1]])
    assert reduce("SUM", x, [1], view([0, 0])) == [127, -2]
    # real 0.5 (q - 2): 49 + 49 and -2.5 - 0.5; output step 2, zero point 1
    assert reduce("SUM", x, [1], view([0, 0], np.int8, 2.0, 1), 0.5, 2) == [50, -1]


@pytest.mark.parametrize(("name", "expected"), [("REDUCE_MAX", [7, 5]), ("REDUCE_MIN", [1, -4])])
def test_extremes_of_three_axes(name: str, expected: list[int]) -> None:
    x = np.array([[[[1, 5], [7, -4]]]])
    assert reduce(name, x, [0, 1, -2], view([0, 0])) == expected
    with pytest.raises(ModelError, match="quantised unlike its input"):
        reduce(name, x, [0, 1, -2], view([0, 0], scale=2.0))
