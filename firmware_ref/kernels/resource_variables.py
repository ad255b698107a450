"""VAR_HANDLE, READ_VARIABLE, ASSIGN_VARIABLE and CALL_ONCE.

Sources: tensorflow/lite/micro/kernels/var_handle.cc, read_variable.cc, assign_variable.cc,
call_once.cc; tensorflow/lite/micro/micro_resource_variable.cc.
"""

from __future__ import annotations

import numpy as np

from firmware_ref.kernels.kernel import Kernel
from firmware_ref.node import Invoke, Node
from firmware_ref.options import CallOnceOptions, VarHandleOptions


def prepare_var_handle(node: Node) -> Invoke:
    """handle = id of the variable named by the options; constant from Prepare on."""
    options = node.options(VarHandleOptions)
    handle = node.output().array
    handle[...] = node.runtime.resource_id(options.container, options.shared_name)
    return lambda: None


def prepare_read_variable(node: Node) -> Invoke:
    """y = content of the variable, byte for byte."""
    handle = node.input(0).array.reshape(-1)
    out = node.output().array.reshape(-1).view(np.uint8)

    def invoke() -> None:
        variable = node.runtime.resources.get(int(handle[0]))
        if variable is None or variable.size != out.size:
            held = "nothing" if variable is None else f"{variable.size} bytes"
            raise node.error(f"reads {out.size} bytes from a variable that holds {held}")
        out[:] = variable

    return invoke


def prepare_assign_variable(node: Node) -> Invoke:
    """variable = x, byte for byte; the first assignment in the file reserves its memory."""
    handle = node.input(0).array.reshape(-1)
    value = node.input(1)
    source = value.array.reshape(-1).view(np.uint8)
    node.runtime.allocate_resource(int(handle[0]), value.tensor)

    def invoke() -> None:
        node.runtime.resources[int(handle[0])][:] = source

    return invoke


def prepare_call_once(node: Node) -> Invoke:
    """Run a subgraph at the first invoke after allocation; a reset does not repeat it."""
    subgraph = node.options(CallOnceOptions).init_subgraph_index
    has_run = False

    def invoke() -> None:
        nonlocal has_run
        if not has_run:
            has_run = True
            node.runtime.invoke_subgraph(subgraph)

    return invoke


_VALUE_TYPES = ("int8", "int16", "int32", "float32")
_KERNELS = "tensorflow/lite/micro/kernels"

KERNELS = {
    "VAR_HANDLE": Kernel(prepare_var_handle, (" -> resource",), f"{_KERNELS}/var_handle.cc"),
    "READ_VARIABLE": Kernel(
        prepare_read_variable,
        tuple(f"resource -> {kind}" for kind in _VALUE_TYPES),
        f"{_KERNELS}/read_variable.cc",
    ),
    "ASSIGN_VARIABLE": Kernel(
        prepare_assign_variable,
        tuple(f"resource, {kind} -> none" for kind in _VALUE_TYPES),
        f"{_KERNELS}/assign_variable.cc",
    ),
    "CALL_ONCE": Kernel(prepare_call_once, (" -> none",), f"{_KERNELS}/call_once.cc"),
}
