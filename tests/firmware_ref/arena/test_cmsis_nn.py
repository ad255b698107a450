"""Scratch memory of the CMSIS-NN kernels, by the formulas of its get_buffer_size functions."""

from __future__ import annotations

import numpy as np
import pytest
from known_models import Layers
from model_builder import ModelBuilder

from firmware_ref.arena.cmsis_nn import cmsis_nn_requests
from firmware_ref.arena.requests import Persistent, Scratch
from firmware_ref.reader import read_model


def scratch_bytes(content: bytes, mve: bool = False) -> list[int]:
    graph = read_model(content).subgraphs[0]
    return [
        request.size_bytes
        for request in cmsis_nn_requests(graph.operators[-1], graph, mve)
        if isinstance(request, Scratch)
    ]


def convolution(depth: int, kernel: int, stride: int = 1, rows: int = 8) -> bytes:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x = n.activation([1, rows, 8, depth])
    return model.build([x], [n.conv(x, 4, kernel, stride)])


@pytest.mark.parametrize(
    ("depth", "kernel", "dsp", "mve"),
    [
        (3, 3, [4 * 28], [64 * 2]),  # 27 values a column
        (16, 3, [4 * 144], [64 * 9]),
        (16, 1, [], []),
    ],
)
def test_conv_2d(depth: int, kernel: int, dsp: list[int], mve: list[int]) -> None:
    content = convolution(depth, kernel)
    assert scratch_bytes(content) == dsp
    assert scratch_bytes(content, mve=True) == mve


def test_conv_2d_of_one_row_has_small_border_columns_on_vector_cores() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x = n.activation([1, 1, 8, 4])
    y = n.activation([1, 1, 8, 2])
    inputs = [x, n.weights([2, 1, 3, 4], 2), n.bias(2, 2)]
    ones = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    n.graph.operator("CONV_2D", inputs, [y], options="Conv2DOptions", **ones)
    content = model.build([x], [y])
    assert scratch_bytes(content) == [4 * 12]
    # padding 1 at both ends: max(12 + 4, 12 - 4 + 4)
    assert scratch_bytes(content, mve=True) == [16]


def test_conv_2d_16x8() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x = n.graph.tensor([1, 1, 8, 100], np.int16, scale=0.1)
    y = n.graph.tensor([1, 1, 8, 2], np.int16, scale=0.1)
    bias = n.graph.tensor([2], np.int64, scale=[0.001] * 2, data=np.zeros(2))
    ones = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}
    inputs = [x, n.weights([2, 1, 3, 100], 2), bias]
    n.graph.operator("CONV_2D", inputs, [y], options="Conv2DOptions", **ones)
    content = model.build([x], [y])
    assert scratch_bytes(content) == [2 * 2 * 300]
    assert scratch_bytes(content, mve=True) == [4 * 2 * 304]


@pytest.mark.parametrize(
    ("kernel", "multiplier", "dsp", "mve"),
    [
        ((3, 3), 1, [], [4 * 124 * 9]),
        ((5, 3), 1, [2 * 6 * 15], [4 * 124 * 15]),
        ((5, 3), 2, [], []),
    ],
)
def test_depthwise_conv_2d(
    kernel: tuple[int, int], multiplier: int, dsp: list[int], mve: list[int]
) -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x = n.activation([1, 8, 8, 6])
    content = model.build([x], [n.depthwise(x, kernel, 1, multiplier)])
    assert scratch_bytes(content) == dsp
    assert scratch_bytes(content, mve=True) == mve


@pytest.mark.parametrize(
    ("depth", "expected"),
    [
        (20, [4 * 80, 2 * 2 * 20 * 5]),  # im2col of 2x2x20, and the reversed filter
        (16, [4 * (3 * 2 + 2) * 5 * 2, 0]),  # rows of the output, accumulated
    ],
)
def test_transpose_conv(depth: int, expected: list[int]) -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x, y = n.activation([1, 4, 4, depth]), n.activation([1, 8, 8, 5])
    n.graph.operator(
        "TRANSPOSE_CONV",
        [n.indices([1, 8, 8, 5]), n.weights([5, 2, 2, depth], 5), x],
        [y],
        options="TransposeConvOptions",
        strideH=2,
        strideW=2,
    )
    assert scratch_bytes(model.build([x], [y])) == expected


def test_average_pool_2d() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x, y = n.activation([1, 4, 4, 7]), n.activation([1, 2, 2, 7])
    window = {"strideH": 2, "strideW": 2, "filterHeight": 2, "filterWidth": 2, "padding": 1}
    n.graph.operator("AVERAGE_POOL_2D", [x], [y], options="Pool2DOptions", **window)
    content = model.build([x], [y])
    assert scratch_bytes(content) == [4 * 7]
    assert scratch_bytes(content, mve=True) == []


def test_vector_cores_keep_the_sums_of_dense_kernels() -> None:
    model = ModelBuilder()
    n = Layers(model.subgraph())
    x = n.activation([1, 6])
    graph = read_model(model.build([x], [n.dense(x, 9)])).subgraphs[0]
    requests = list(cmsis_nn_requests(graph.operators[0], graph, mve=True))
    assert [r.size_bytes for r in requests if isinstance(r, Persistent)] == [4 * 9]
