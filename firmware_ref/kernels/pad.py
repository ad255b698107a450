"""PAD and PADV2: y = x with a border of the output's zero point, or of a constant.

For int16 and float32, PAD pads with 0.

Sources: tensorflow/lite/micro/kernels/pad.cc and pad_common.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node

MAX_RANK = 5
"""PadKernelMaxDimensionCount of reference/pad.h."""


def prepare_pad(node: Node) -> Invoke:
    """Fill, then copy the input into the middle."""
    x, y = node.input(0), node.output()
    rank = len(x.shape)
    paddings = node.constant_integers(1)  # before and after of axis 0, of axis 1, ...
    if len(paddings) != 2 * rank or rank > MAX_RANK:
        raise node.error(
            f"needs {rank} pairs of paddings and at most {MAX_RANK} dimensions, "
            f"received {len(paddings)} values"
        )
    before, after = paddings[::2], paddings[1::2]
    expected = tuple(b + n + a for b, n, a in zip(before, x.shape, after, strict=True))
    if min(before + after, default=0) < 0 or y.shape != expected:
        raise node.error(
            f"pads {x.shape} by {before} before and {after} after to {expected}, "
            f"but its output has {y.shape}"
        )
    border = border_value(node)
    middle = y.array[tuple(slice(b, b + n) for b, n in zip(before, x.shape, strict=True))]
    source, out = x.array, y.array

    def invoke() -> None:
        out.fill(border)
        middle[...] = source

    return invoke


def border_value(node: Node) -> float:
    """What PAD writes around its input: the third input, or the zero point of the output.

    Raises:
        ModelError: the value is no constant, or of another type or quantisation than the output.
    """
    y = node.output()
    given = node.optional_input(2)
    if given is None:
        return y.zero_point if y.array.dtype == np.int8 else 0
    if given.type is not y.type or given.tensor.elements != 1:
        raise node.error(f"needs one border value of type {y.type}")
    if y.array.dtype == np.int8 and (given.scale, given.zero_point) != (y.scale, y.zero_point):
        raise node.error("has a border value quantised unlike its output, which TFLM refuses")
    value: float = node.constant(2).reshape(-1)[0].item()
    return value


_SIGNATURES = tuple(f"{kind} -> {kind}" for kind in ("int8", "int16", "int32", "float32"))

KERNELS = {
    name: Kernel(
        prepare_pad,
        _SIGNATURES,
        "tensorflow/lite/micro/kernels/pad.cc",
        "paddings and border value are constants; at most 5 dimensions",
        input_count=(2, 3),
    )
    for name in ("PAD", "PADV2")
}
