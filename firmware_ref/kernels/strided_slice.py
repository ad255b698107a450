"""STRIDED_SLICE: y = x[begin:end:stride], axis by axis, with TFLite's masks.

Source: tensorflow/lite/micro/kernels/strided_slice_common.cc,
tensorflow/lite/kernels/internal/strided_slice_logic.h (`StartForAxis`, `StopForAxis`).
"""

from __future__ import annotations

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import StridedSliceOptions

MAX_RANK = 4
"""kMaxDim of TFLM's strided slice."""


def prepare_strided_slice(node: Node) -> Invoke:
    """One strided copy."""
    options = node.options(StridedSliceOptions)
    x, y = node.input(0), node.output()
    rank = len(x.shape)
    if rank > MAX_RANK:
        raise node.error(f"slices {rank} dimensions; TFLM takes at most {MAX_RANK}")
    if options.ellipsis_mask or options.new_axis_mask or options.offset:
        raise node.error("uses an ellipsis, a new axis or an offset, which TFLM ignores")
    bounds = [node.constant_integers(position) for position in (1, 2, 3)]
    if any(len(values) != rank for values in bounds):
        raise node.error(f"needs begin, end and strides of {rank} values each")
    slices = []
    shape = []
    for axis, (begin, end, stride) in enumerate(zip(*bounds, strict=True)):
        bit = 1 << axis
        if stride == 0:
            raise node.error(f"has a stride of 0 at axis {axis}")
        shrinks = bool(options.shrink_axis_mask & bit)
        if shrinks and stride < 0:
            raise node.error(
                f"drops axis {axis} with the stride {stride}, where TFLM leaves its output "
                "unwritten"
            )
        start, stop = _bounds(
            x.shape[axis],
            None if options.begin_mask & bit else begin,
            None if options.end_mask & bit else end,
            stride,
        )
        if shrinks:
            stop = start + 1
        count = max(0, -(-(stop - start) // stride))
        if count and not (0 <= start < x.shape[axis]):
            raise node.error(f"begins at {begin}, outside axis {axis} of {x.shape[axis]}")
        slices.append(slice(start, None if stop < 0 else stop, stride) if count else slice(0, 0))
        if not shrinks:
            shape.append(count)
    if tuple(shape) != y.shape:
        raise node.error(f"yields the shape {tuple(shape)}, but its output has {y.shape}")
    window = x.array[tuple(slices)]
    target = y.array.reshape(window.shape)  # shrunk axes come back with length 1
    return copies((target, window))


def _bounds(size: int, begin: int | None, end: int | None, stride: int) -> tuple[int, int]:
    """First index and the one past the last, clamped as TFLite clamps; None means masked."""
    lowest, highest = (0, size) if stride > 0 else (-1, size - 1)
    if begin is None:
        start = lowest if stride > 0 else highest
    else:
        start = min(max(begin + size if begin < 0 else begin, lowest), highest)
    if end is None:
        stop = highest if stride > 0 else lowest
    else:
        stop = min(max(end + size if end < 0 else end, lowest), highest)
    return start, stop


KERNELS = {
    "STRIDED_SLICE": Kernel(
        prepare_strided_slice,
        tuple(f"{kind} -> {kind}" for kind in ("int8", "int16", "int32", "bool", "float32")),
        "tensorflow/lite/micro/kernels/strided_slice_common.cc",
        "begin, end and strides are constants; at most 4 dimensions",
        input_count=(4, 4),
    )
}
