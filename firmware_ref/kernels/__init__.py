"""The table of kernels: operator name -> `Kernel`, one module per family of operators.

A module defines `prepare_*` functions and lists its operators in a dict `KERNELS`.
"""

from __future__ import annotations

from importlib import import_module

from firmware_ref.kernels.kernel import Kernel as Kernel

_FAMILIES = (
    "abs_rsqrt",
    "add",
    "concatenation",
    "conv",
    "depthwise_conv",
    "elu",
    "fully_connected",
    "gather",
    "hard_swish",
    "logistic_tanh",
    "lstm",
    "maximum_minimum",
    "mul",
    "pack",
    "pad",
    "pooling",
    "quantize",
    "reduce",
    "relu",
    "reshape",
    "resize_bilinear",
    "resize_nearest_neighbor",
    "resource_variables",
    "reverse",
    "shape",
    "slice",
    "softmax",
    "space_to_batch",
    "space_to_depth",
    "squared_difference",
    "strided_slice",
    "svdf",
    "transpose_conv",
)

KERNELS: dict[str, Kernel] = {
    name: kernel
    for family in _FAMILIES
    for name, kernel in import_module(f"{__name__}.{family}").KERNELS.items()
}
