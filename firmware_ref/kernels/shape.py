"""SHAPE and FILL: what a model does with shapes while it runs.

A model whose batch size was left open when it was converted reads its shapes anew at every step.

Sources: tensorflow/lite/micro/kernels/shape.cc and fill.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.copies import copies
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node


def prepare_shape(node: Node) -> Invoke:
    """y = the shape of x, as it stands in the file."""
    x, y = node.input(0), node.output()
    if y.shape != (len(x.shape),):
        raise node.error(f"has an output of shape {y.shape}, expected {(len(x.shape),)}")
    return copies((y.array, np.array(x.shape, np.int32)))


def prepare_fill(node: Node) -> Invoke:
    """y = one value throughout; the output's shape is the one in the file."""
    dims, value, y = node.input(0), node.input(1), node.output()
    if value.shape != ():
        raise node.error(f"has a value of shape {value.shape}, expected a scalar")
    if not dims.is_constant:
        raise node.error(
            "has dimensions that are computed, which TFLM refuses. Convert the model with a static "
            "input shape, the batch size included"
        )
    if tuple(node.constant_integers(0)) != y.shape:
        raise node.error(f"fills {node.constant_integers(0)}, but its output has {y.shape}")
    return copies((y.array, value.array))


KERNELS = {
    "SHAPE": Kernel(
        prepare_shape,
        tuple(f"{kind} -> int32" for kind in ("int8", "int16", "int32", "float32")),
        "tensorflow/lite/micro/kernels/shape.cc",
    ),
    "FILL": Kernel(
        prepare_fill,
        tuple(f"int32, {kind} -> {kind}" for kind in ("int8", "int32", "float32")),
        "tensorflow/lite/micro/kernels/fill.cc",
        "the dimensions are constants",
    ),
}
