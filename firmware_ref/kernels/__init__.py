"""The table of kernels: operator name -> `Kernel`, one module per family of operators.

A module defines `prepare_*` functions and lists its operators in a dict `KERNELS`.
"""

from __future__ import annotations

from types import ModuleType

from firmware_ref.kernels import (
    conv,
    depthwise_conv,
    hard_swish,
    logistic_tanh,
    lstm,
    mean,
    pooling,
    quantize,
    relu,
    resource_variables,
    softmax,
    svdf,
)
from firmware_ref.kernels.kernel import Kernel as Kernel

_MODULES: tuple[ModuleType, ...] = (
    conv,
    depthwise_conv,
    hard_swish,
    logistic_tanh,
    lstm,
    mean,
    pooling,
    quantize,
    relu,
    resource_variables,
    softmax,
    svdf,
)

KERNELS: dict[str, Kernel] = {
    name: kernel for module in _MODULES for name, kernel in module.KERNELS.items()
}
