"""The table of kernels: operator name -> `Kernel`, one module per family of operators.

A module defines `prepare_*` functions and lists its operators in a dict `KERNELS`.
"""

from __future__ import annotations

from importlib import import_module

from firmware_ref.kernels.kernel import Kernel as Kernel

_FAMILIES = (
    "add",
    "concatenation",
    "conv",
    "depthwise_conv",
    "fully_connected",
    "hard_swish",
    "logistic_tanh",
    "lstm",
    "maximum_minimum",
    "mean",
    "mul",
    "pack",
    "pad",
    "pooling",
    "quantize",
    "relu",
    "reshape",
    "resize_nearest_neighbor",
    "resource_variables",
    "slice",
    "softmax",
    "space_to_batch",
    "space_to_depth",
    "strided_slice",
    "svdf",
    "transpose_conv",
)

KERNELS: dict[str, Kernel] = {
    name: kernel
    for family in _FAMILIES
    for name, kernel in import_module(f"{__name__}.{family}").KERNELS.items()
}
