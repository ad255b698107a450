"""Operators that move data without arithmetic: small cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from kernel_node import prepared, run, view

from firmware_ref.errors import ModelError
from firmware_ref.node import View
from firmware_ref.options import (
    Activation,
    ConcatenationOptions,
    DepthToSpaceOptions,
    GatherOptions,
    Options,
    PackOptions,
    ResizeBilinearOptions,
    ResizeNearestNeighborOptions,
    SpaceToDepthOptions,
    StridedSliceOptions,
    UnpackOptions,
)

GRID = [[1, 2, 3], [4, 5, 6]]


def integers(values) -> View:
    return view(values, np.int32, None, constant=True)


@pytest.mark.parametrize("axis", [1, -1])
def test_concatenation(axis):
    parts = [view(GRID), view([[7], [8]])]
    result = run("CONCATENATION", parts, view(np.zeros((2, 4))), ConcatenationOptions(axis))
    assert result == [[1, 2, 3, 7], [4, 5, 6, 8]]


def test_split():
    outputs = [view(np.zeros((2, 1))) for _ in range(3)]
    prepared("SPLIT", [integers(1), view(GRID)], outputs)()
    assert [y.array.tolist() for y in outputs] == [[[1], [4]], [[2], [5]], [[3], [6]]]


def test_split_v_takes_unequal_parts():
    outputs = [view(np.zeros((2, 2))), view(np.zeros((2, 1)))]
    prepared("SPLIT_V", [view(GRID), integers([2, 1]), integers(-1)], outputs)()
    assert [y.array.tolist() for y in outputs] == [[[1, 2], [4, 5]], [[3], [6]]]


@pytest.mark.parametrize(
    ("begin", "end", "strides", "options", "expected"),
    [
        ([0, 1], [2, 3], [1, 1], StridedSliceOptions(), [[2, 3], [5, 6]]),
        ([1, 0], [2, 3], [1, 2], StridedSliceOptions(), [[4, 6]]),
        ([-1, -2], [9, 9], [1, 1], StridedSliceOptions(), [[5, 6]]),
        ([1, 2], [-9, -9], [-1, -1], StridedSliceOptions(), [[6, 5, 4], [3, 2, 1]]),
        ([1, 0], [0, 2], [1, 1], StridedSliceOptions(shrink_axis_mask=1), [4, 5]),
        ([9, 1], [0, 0], [1, 1], StridedSliceOptions(begin_mask=1, end_mask=3), [[2, 3], [5, 6]]),
        ([0, 0], [0, 0], [-1, 1], StridedSliceOptions(begin_mask=1, end_mask=3),
         [[4, 5, 6], [1, 2, 3]]),
        ([1, 1], [0, 0], [1, 1], StridedSliceOptions(shrink_axis_mask=3), 5),
    ],
)  # fmt: skip
def test_strided_slice(begin, end, strides, options, expected):
    inputs = [view(GRID), integers(begin), integers(end), integers(strides)]
    assert run("STRIDED_SLICE", inputs, view(np.zeros(np.shape(expected))), options) == expected


def test_pad_uses_the_zero_point():
    result = run("PAD", [view([[1, 2]]), integers([[0, 1], [1, 0]])], view(np.zeros((2, 3)),
                 zero_point=9))  # fmt: skip
    assert result == [[9, 1, 2], [9, 9, 9]]


def test_padv2_uses_the_value_and_int16_pads_with_zero():
    inputs = [view([1]), integers([[1, 1]]), view([5], constant=True)]
    assert run("PADV2", inputs, view([0] * 3)) == [5, 1, 5]
    assert run("PAD", [view([1], np.int16), integers([[1, 1]])], view([7] * 3, np.int16)) == [
        0, 1, 0,
    ]  # fmt: skip


def test_reshapes():
    assert run("RESHAPE", [view(GRID)], view(np.zeros(6))) == [1, 2, 3, 4, 5, 6]
    assert run("EXPAND_DIMS", [view([1, 2]), integers(0)], view([[0, 0]])) == [[1, 2]]
    assert run("SQUEEZE", [view([[1, 2]])], view([0, 0])) == [1, 2]


def test_transpose():
    result = run("TRANSPOSE", [view(GRID), integers([1, 0])], view(np.zeros((3, 2))))
    assert result == [[1, 4], [2, 5], [3, 6]]


@pytest.mark.parametrize(
    ("options", "width", "expected"),
    [
        (ResizeNearestNeighborOptions(), 6, [1, 1, 2, 2, 3, 3]),
        (ResizeNearestNeighborOptions(), 2, [1, 2]),
        (ResizeNearestNeighborOptions(align_corners=True), 5, [1, 2, 2, 3, 3]),
        (ResizeNearestNeighborOptions(half_pixel_centers=True), 2, [1, 3]),
    ],
)
def test_resize_nearest_neighbor(options, width, expected):
    x = view(np.reshape([1, 2, 3], (1, 1, 3, 1)))
    y = view(np.zeros((1, 1, width, 1)))
    result = run("RESIZE_NEAREST_NEIGHBOR", [x, integers([1, width])], y, options)
    assert np.ravel(result).tolist() == expected


def test_pack_and_unpack():
    parts = [view([1, 2]), view([3, 4]), view([5, 6])]
    y = view(np.zeros((2, 3)))
    assert run("PACK", parts, y, PackOptions(3, -1)) == [[1, 3, 5], [2, 4, 6]]
    outputs = [view([0, 0]) for _ in range(3)]
    prepared("UNPACK", [view(GRID)], outputs, UnpackOptions(3, 1))()
    assert [y.array.tolist() for y in outputs] == [[1, 4], [2, 5], [3, 6]]


def test_slice_to_the_end():
    inputs = [view(GRID), integers([1, 1]), integers([1, -1])]
    assert run("SLICE", inputs, view(np.zeros((1, 2)))) == [[5, 6]]


def test_a_dilated_convolution_s_blocks():
    """[1, 5, 1] with one cell before it, in blocks of 3: [0 1 2 3 4 5] as batches 03, 14, 25."""
    x, y = view(np.reshape([1, 2, 3, 4, 5], (1, 5, 1))), view(np.zeros((3, 2, 1)))
    blocks = run("SPACE_TO_BATCH_ND", [x, integers([3]), integers([[1, 0]])], y)
    assert np.squeeze(blocks).tolist() == [[0, 3], [1, 4], [2, 5]]
    back = run(
        "BATCH_TO_SPACE_ND",
        [view(blocks), integers([3]), integers([[1, 0]])],
        view(np.zeros((1, 5, 1))),
    )
    assert np.ravel(back).tolist() == [1, 2, 3, 4, 5]


def test_depth_and_space():
    x, y = view(np.reshape(np.arange(8), (1, 2, 4, 1))), view(np.zeros((1, 1, 2, 4)))
    depth = run("SPACE_TO_DEPTH", [x], y, SpaceToDepthOptions(2))
    assert depth == [[[[0, 1, 4, 5], [2, 3, 6, 7]]]]
    back = run("DEPTH_TO_SPACE", [view(depth)], view(np.zeros(x.shape)), DepthToSpaceOptions(2))
    assert np.ravel(back).tolist() == list(range(8))


@pytest.mark.parametrize(
    ("options", "width", "expected"),
    [
        (ResizeBilinearOptions(), 4, [10, 15, 20, 20]),
        (ResizeBilinearOptions(align_corners=True), 3, [10, 15, 20]),
        (ResizeBilinearOptions(half_pixel_centers=True), 4, [10, 13, 18, 20]),  # 12.5, 17.5
    ],
)
def test_resize_bilinear(options, width, expected):
    x, y = view(np.reshape([10, 20], (1, 1, 2, 1))), view(np.zeros((1, 1, width, 1)))
    result = run("RESIZE_BILINEAR", [x, integers([1, width])], y, options)
    assert np.ravel(result).tolist() == expected


def test_gather():
    inputs = [view(GRID), integers([2, 0])]
    assert run("GATHER", inputs, view(np.zeros((2, 2))), GatherOptions(1)) == [[3, 1], [6, 4]]


@pytest.mark.parametrize(
    ("name", "inputs", "output", "options", "message"),
    [
        ("CONCATENATION", [view([1]), view([2], scale=2.0)], view([0, 0]), None, "rescale"),
        ("CONCATENATION", [view([1])] * 11, view([0] * 11), None, "takes 1 to 10"),
        ("CONCATENATION", [view([1])], view([0]), ConcatenationOptions(3), "axis 3"),
        ("CONCATENATION", [view([1])], view([0, 0]), None, "parts of 1 in all"),
        (
            "CONCATENATION",
            [view([1])],
            view([0]),
            ConcatenationOptions(0, Activation.RELU),
            "fuses an activation",
        ),
        ("RESHAPE", [view([1, 2])], view([0]), None, r"cannot turn the shape \(2,\) into \(1,\)"),
        ("TRANSPOSE", [view([1]), integers([1])], view([0]), None, r"permutes 1 axes by \[1\]"),
        ("PAD", [view([1]), integers([[1, -1]])], view([0]), None, "pads"),
        ("PAD", [view([1]), integers([1])], view([0]), None, "needs 1 pairs of paddings"),
        (
            "STRIDED_SLICE",
            [view([1]), integers([0]), integers([1]), integers([0])],
            view([0]),
            None,
            "stride of 0 at axis 0",
        ),
        (
            "STRIDED_SLICE",
            [view([1]), integers([0]), integers([1]), view([1.0], np.float32, constant=True)],
            view([0]),
            None,
            "needs int32 values in input 3, received float32",
        ),
        ("SPLIT", [integers(0), view([1, 2])], view([0]), None, "parts of 1 in all"),
        ("PACK", [view([1])], view([[0], [0]]), PackOptions(2, 0), "has 1 parts and 2 in its"),
        ("PACK", [view([1])], view([[0]]), PackOptions(1, 2), "axis 2 for 2 dimensions"),
        ("UNPACK", [view([[1, 2]])], view([0]), UnpackOptions(1, 0), r"shape \(1,\), but \(1, 2\)"),
        ("SLICE", [view([1, 2]), integers([1]), integers([2])], view([0]), None, "takes 2 from 1"),
        (
            "SPACE_TO_BATCH_ND",
            [view(np.ones((1, 3, 1))), integers([2]), integers([[0, 0]])],
            view(np.ones((2, 2, 1))),
            None,
            "which do not divide it",
        ),
        (
            "DEPTH_TO_SPACE",
            [view(np.ones((1, 1, 1, 3)))],
            view(np.ones((1, 2, 2, 1))),
            DepthToSpaceOptions(2),
            "which blocks of 2 x 2 do not",
        ),
        (
            "RESIZE_BILINEAR",
            [view(np.ones((1, 1, 1, 1))), integers([2, 2])],
            view(np.ones((1, 2, 2, 1))),
            ResizeBilinearOptions(True, True),
            "which TFLM refuses",
        ),
        (
            "GATHER",
            [view([1, 2]), integers([2])],
            view([0]),
            None,
            r"positions \[2\] of an axis of 2",
        ),
        ("GATHER", [view([1]), integers([0])], view([0]), GatherOptions(0, 1), "batch dimensions"),
        (
            "RESIZE_NEAREST_NEIGHBOR",
            [view(np.ones((1, 1, 1, 1))), integers([2])],
            view([0]),
            None,
            "4 dimensions and 2 sizes",
        ),
    ],
)
def test_contradictions_are_named(name, inputs, output, options: Options | None, message):
    with pytest.raises(ModelError, match=rf"operator 3 \({name}\).*{message}"):
        prepared(name, inputs, [output], options)
