"""Sliding windows over an NHWC tensor: padding, stride, dilation, and the view of all windows.

    SAME:   out = ceil(in / stride)
    VALID:  out = floor((in + stride - effective) / stride), effective = (filter - 1) dilation + 1
    before = max((out - 1) stride + effective - in, 0) / 2, what remains goes after

Source: tensorflow/lite/kernels/padding.h (`ComputePaddingHeightWidth`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import DTypeLike, NDArray

from firmware_ref.model import Array
from firmware_ref.node import Node
from firmware_ref.options import Conv2DOptions, DepthwiseConv2DOptions, Padding


@dataclass(frozen=True)
class WindowAxis:
    """Windows along one axis, height or width."""

    input_size: int
    filter_size: int
    stride: int
    dilation: int
    output_size: int
    before: int
    after: int

    @classmethod
    def of(
        cls,
        node: Node,
        input_size: int,
        filter_size: int,
        stride: int,
        dilation: int,
        padding: Padding,
    ) -> WindowAxis:
        """The windows of `node` along an axis; ModelError for impossible sizes."""
        if stride < 1 or dilation < 1 or filter_size < 1:
            raise node.error(
                f"has stride {stride}, dilation {dilation} and filter size {filter_size}; "
                "all have to be at least 1"
            )
        effective = (filter_size - 1) * dilation + 1
        if padding is Padding.SAME:
            output_size = -(-input_size // stride)
        else:
            output_size = (input_size + stride - effective) // stride
        if output_size < 1:
            raise node.error(
                f"has a window of {effective} over an input of {input_size}: nothing comes out"
            )
        total = max((output_size - 1) * stride + effective - input_size, 0)
        before = total // 2
        return cls(input_size, filter_size, stride, dilation, output_size, before, total - before)


def convolution_axes(
    node: Node,
    input_shape: Sequence[int],
    filter_size: Sequence[int],
    options: Conv2DOptions | DepthwiseConv2DOptions,
) -> tuple[WindowAxis, WindowAxis]:
    """The windows of a convolution along height and width.

    Args:
        node: the operator, for messages.
        input_shape: NHWC.
        filter_size: height and width of the filter.
        options: strides, dilations and padding.
    """
    height, width = input_shape[1:3]
    filter_height, filter_width = filter_size
    padding = options.padding
    return (
        WindowAxis.of(
            node, height, filter_height, options.stride_h, options.dilation_h_factor, padding
        ),
        WindowAxis.of(
            node, width, filter_width, options.stride_w, options.dilation_w_factor, padding
        ),
    )


MAX_PADDED_ELEMENTS = 2**26
"""A damaged model's windows may reach any distance; no chip's input has so many elements."""


def padded_input(shape: tuple[int, ...], padding_value: int, dtype: DTypeLike) -> NDArray[Any]:
    """An array full of padding, for the input to be written into.

    Raises:
        ValueError: it is larger than any honest model's; `Kernel.build` names the operator.
    """
    if math.prod(shape) > MAX_PADDED_ELEMENTS:
        raise ValueError(
            f"its padded input would have the shape {shape}; "
            f"expected at most {MAX_PADDED_ELEMENTS} elements"
        )
    return np.full(shape, padding_value, dtype)


class Windows:
    """All windows of an NHWC input, as an array of shape (N, H_out, W_out, kh, kw, C).

    Args:
        x: the input's view into the arena, (N, H, W, C).
        rows, columns: windows along height and width.
        padding_value: what lies outside the input.
        dtype: type of the windows; the input is copied when it differs or when there is padding.
    """

    def __init__(
        self,
        x: Array,
        rows: WindowAxis,
        columns: WindowAxis,
        padding_value: int,
        dtype: DTypeLike,
    ) -> None:
        batch, height, width, channels = x.shape
        self._source = x
        self._interior: NDArray[Any] | None = None
        base = x
        if rows.before or rows.after or columns.before or columns.after or x.dtype != dtype:
            padded = (
                batch,
                rows.before + height + rows.after,
                columns.before + width + columns.after,
                channels,
            )
            base = padded_input(padded, padding_value, dtype)
            self._interior = base[
                :, rows.before : rows.before + height, columns.before : columns.before + width
            ]
        n, h, w, c = base.strides
        self.view: NDArray[Any] = as_strided(
            base,
            (
                batch,
                rows.output_size,
                columns.output_size,
                rows.filter_size,
                columns.filter_size,
                channels,
            ),
            (n, h * rows.stride, w * columns.stride, h * rows.dilation, w * columns.dilation, c),
            writeable=False,
        )

    @property
    def load(self) -> Callable[[], None] | None:
        """What brings the windows up to date; None where they look straight at the input."""
        interior, source = self._interior, self._source
        if interior is None:
            return None

        def load() -> None:
            interior[...] = source

        return load
