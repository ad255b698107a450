"""Where a convolution's windows lie, and the memory that those take which are not in one piece."""

from __future__ import annotations

from dataclasses import dataclass, replace

from firmware_ref.c_export.nodes import operator_node
from firmware_ref.c_export.steps import CONVOLUTIONS, Step
from firmware_ref.kernels.window import WindowAxis
from firmware_ref.model import Subgraph
from firmware_ref.options import Conv2DOptions, DepthwiseConv2DOptions


@dataclass(frozen=True)
class Geometry:
    """Windows along height and width over the tensor that the code reads.

    `rows.before` and `columns.before` count the cells of a skipped PAD too.
    """

    rows: WindowAxis
    columns: WindowAxis
    channels: int
    is_depthwise: bool

    @property
    def patch_bytes(self) -> int:
        """Bytes in which a window is widened, or put together; 0 when it is read where it lies."""
        size = self.rows.filter_size * self.columns.filter_size * self.channels
        if not self.is_depthwise:
            return 5 * row_size(size)
        return 0 if all(_is_inside(axis) for axis in (self.rows, self.columns)) else size


def row_size(length: int) -> int:
    """Weights in a row of CONV_2D; as row_size in kernels.c."""
    return -(-length // 8) * 8


def _is_inside(axis: WindowAxis) -> bool:
    last = (axis.output_size - 1) * axis.stride - axis.before
    return axis.before == 0 and last + (axis.filter_size - 1) * axis.dilation < axis.input_size


def convolution_geometry(graph: Subgraph, step: Step) -> Geometry:
    """The geometry of a CONV_2D or DEPTHWISE_CONV_2D."""
    node = operator_node(graph, step.operator)
    filters = node.input(1).shape
    is_depthwise = step.operator.name == "DEPTHWISE_CONV_2D"
    options: Conv2DOptions | DepthwiseConv2DOptions = (
        node.options(DepthwiseConv2DOptions) if is_depthwise else node.options(Conv2DOptions)
    )
    padded, source = node.input(0).shape, graph.tensors[step.inputs[0]].shape

    def windows(axis: int, stride: int, dilation: int, pad: int) -> WindowAxis:
        of_padded = WindowAxis.of(
            node, padded[axis], filters[axis], stride, dilation, options.padding
        )
        return replace(of_padded, input_size=source[axis], before=of_padded.before + pad)

    return Geometry(
        windows(1, options.stride_h, options.dilation_h_factor, step.pad_top),
        windows(2, options.stride_w, options.dilation_w_factor, step.pad_left),
        padded[3],
        is_depthwise,
    )


def patch_bytes(graph: Subgraph, step: Step) -> int:
    """Bytes of scratch memory of a step."""
    if step.operator.name not in CONVOLUTIONS:
        return 0
    return convolution_geometry(graph, step).patch_bytes
