"""Sizes of TFLM's structs, parameters and kernel data, per build of TFLM: the one table of them.

How much of the arena's tail TFLM takes depends on `sizeof` alone, which differs between a
64-bit desktop and a 32-bit chip, and drifts between versions of TFLM. Provenance:

- `x86_64-wheel`: the Python wheel tflite-micro 0.dev20261023182759, which is compiled with the
  recording allocator and with tensor compression. Every entry is held against the wheel's own
  report by `tests/firmware_ref/arena/test_oracle.py`, one model per operator.
- `cortex-m`: tflite-micro of August 2026 compiled by arm-none-eabi-gcc 12 (short enums, no
  compression, plain allocator), `sizeof` printed by the compiler; the arenas that follow were
  compared with the real TFLM on an emulated Cortex-M4. Entries marked `derived` follow from the
  declared members under the same rules and were not printed by the compiler.
- CMSIS-NN: as `cortex-m`, with the kernel data of its optimised kernels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple


class Struct(NamedTuple):
    """`sizeof` and `alignof` of a C++ type, in bytes."""

    size_bytes: int
    align_bytes: int


@dataclass(frozen=True)
class Abi:
    """What a build of TFLM allocates, in bytes.

    `allocator_objects` are in the order of their creation. `params` are the builtin parameters of
    an operator (absent: it has none); `op_data` is what its kernel asks for in Init (absent:
    nothing).
    """

    name: str
    description: str
    allocator_objects: tuple[Struct, ...]
    builtin_data_allocator: Struct
    subgraph_allocations: Struct
    eval_tensor: Struct
    node_and_registration: Struct
    scratch_request: Struct
    scratch_handle: Struct
    allocation_info: Struct
    tensor: Struct
    affine_quantization: Struct
    resource_variables_bytes: int
    resource_variable_bytes: int
    pointer_bytes: int
    params: Mapping[str, Struct]
    op_data: Mapping[str, int]

    @property
    def size_t(self) -> Struct:
        """The type of a size, as large as a pointer on every target of TFLM."""
        return Struct(self.pointer_bytes, self.pointer_bytes)


# Parameters without an enum have one size everywhere.
_COMMON_PARAMS = {
    "CONV_2D": Struct(28, 4),
    "DEPTHWISE_CONV_2D": Struct(28, 4),
    "CONCATENATION": Struct(8, 4),
    "RESHAPE": Struct(36, 4),
    "SQUEEZE": Struct(36, 4),
    "STRIDED_SLICE": Struct(24, 4),
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Struct(16, 4),
    "MAX_POOL_2D": Struct(40, 4),
    "AVERAGE_POOL_2D": Struct(40, 4),
    "LEAKY_RELU": Struct(4, 4),
    "SPLIT": Struct(4, 4),
    "SPLIT_V": Struct(4, 4),
    "SOFTMAX": Struct(4, 4),
    "CALL_ONCE": Struct(4, 4),
    "MEAN": Struct(1, 1),
    "RESIZE_NEAREST_NEIGHBOR": Struct(2, 1),
    "SUM": Struct(1, 1),
    "REDUCE_MAX": Struct(1, 1),
    "REDUCE_MIN": Struct(1, 1),
    "RESIZE_BILINEAR": Struct(2, 1),
    "GATHER": Struct(8, 4),
    "SHAPE": Struct(4, 4),
    "PACK": Struct(8, 4),
    "UNPACK": Struct(8, 4),
    "SPACE_TO_DEPTH": Struct(4, 4),
    "DEPTH_TO_SPACE": Struct(4, 4),
}

# Kernel data without a pointer has one size everywhere.
_COMMON_OP_DATA = {
    "ADD": 60,
    "SUB": 52,
    "MUL": 36,
    "LOGISTIC": 16,
    "TANH": 16,
    "RELU": 28,
    "RELU6": 8,
    "LEAKY_RELU": 24,
    "PRELU": 28,
    "HARD_SWISH": 20,
    "MAX_POOL_2D": 32,
    "AVERAGE_POOL_2D": 32,
    "MEAN": 44,
    "PAD": 56,
    "PADV2": 56,
    "STRIDED_SLICE": 84,
    "QUANTIZE": 32,
    "DEQUANTIZE": 32,
    "UNIDIRECTIONAL_SEQUENCE_LSTM": 688,
    "SVDF": 36,
    "VAR_HANDLE": 4,
    "CALL_ONCE": 8,
    "SPACE_TO_BATCH_ND": 4,
    "ELU": 256,
    "SUM": 44,
    "REDUCE_MAX": 44,
    "REDUCE_MIN": 44,
    "SQUARED_DIFFERENCE": 112,
}

X86_64_WHEEL = Abi(
    name="x86_64-wheel",
    description="the Python wheel tflite-micro 0.dev20261023182759 on x86-64",
    # RecordingSingleArenaBufferAllocator, GreedyMemoryPlanner, RecordingMicroAllocator
    allocator_objects=(Struct(104, 8), Struct(72, 8), Struct(272, 8)),
    builtin_data_allocator=Struct(16, 8),
    subgraph_allocations=Struct(24, 8),
    eval_tensor=Struct(24, 8),
    node_and_registration=Struct(64, 8),
    scratch_request=Struct(16, 8),
    scratch_handle=Struct(8, 8),
    allocation_info=Struct(32, 8),
    tensor=Struct(64, 8),
    affine_quantization=Struct(24, 8),
    resource_variables_bytes=16,
    resource_variable_bytes=40,
    pointer_bytes=8,
    params=MappingProxyType(
        _COMMON_PARAMS
        | {
            "TRANSPOSE_CONV": Struct(20, 4),
            "FULLY_CONNECTED": Struct(32, 8),
            "ADD": Struct(8, 4),
            "SUB": Struct(8, 4),
            "MUL": Struct(4, 4),
            "SVDF": Struct(12, 4),
            "VAR_HANDLE": Struct(16, 8),
        }
    ),
    op_data=MappingProxyType(
        _COMMON_OP_DATA
        | {
            "CONV_2D": 80,
            "DEPTHWISE_CONV_2D": 80,
            "TRANSPOSE_CONV": 88,
            "FULLY_CONNECTED": 72,
            "CONCATENATION": 80,
            "SOFTMAX": 80,
            "ASSIGN_VARIABLE": 4,
            "ABS": 28,
            "RSQRT": 28,
        }
    ),
)

CORTEX_M = Abi(
    name="cortex-m",
    description="TFLM with reference kernels on a 32-bit Arm chip",
    # SingleArenaBufferAllocator, GreedyMemoryPlanner, MicroAllocator
    allocator_objects=(Struct(36, 4), Struct(44, 4), Struct(36, 4)),
    builtin_data_allocator=Struct(8, 4),
    subgraph_allocations=Struct(8, 4),
    eval_tensor=Struct(12, 4),
    node_and_registration=Struct(32, 4),
    scratch_request=Struct(12, 4),
    scratch_handle=Struct(4, 4),
    allocation_info=Struct(24, 4),
    tensor=Struct(32, 4),
    affine_quantization=Struct(12, 4),
    resource_variables_bytes=12,
    resource_variable_bytes=20,
    pointer_bytes=4,
    params=MappingProxyType(
        _COMMON_PARAMS  # SQUEEZE, RESIZE_NEAREST_NEIGHBOR and those after it: derived
        | {
            "TRANSPOSE_CONV": Struct(16, 4),
            "FULLY_CONNECTED": Struct(5, 1),
            "ADD": Struct(2, 1),
            "SUB": Struct(2, 1),
            "MUL": Struct(1, 1),
            "SVDF": Struct(8, 4),
            "VAR_HANDLE": Struct(8, 4),
        }
    ),
    op_data=MappingProxyType(
        _COMMON_OP_DATA  # PRELU, HARD_SWISH and those after CALL_ONCE: derived
        | {
            "CONV_2D": 56,
            "DEPTHWISE_CONV_2D": 56,
            "TRANSPOSE_CONV": 72,
            "FULLY_CONNECTED": 48,
            "CONCATENATION": 24,
            "SOFTMAX": 56,
            "ABS": 20,  # derived
            "RSQRT": 20,  # derived
        }
    ),
)

CORTEX_M_CMSIS_NN = replace(
    CORTEX_M,
    name="cortex-m+cmsis-nn",
    description="TFLM with CMSIS-NN kernels on a 32-bit Arm chip",
    op_data=MappingProxyType(
        dict(CORTEX_M.op_data)
        | {
            "CONV_2D": 60,
            "DEPTHWISE_CONV_2D": 60,
            "TRANSPOSE_CONV": 76,
            "FULLY_CONNECTED": 72,
            "UNIDIRECTIONAL_SEQUENCE_LSTM": 912,
            "MAX_POOL_2D": 36,
            "AVERAGE_POOL_2D": 36,
            "SVDF": 40,  # derived
            "SOFTMAX": 64,  # derived
        }
    ),
)

ABIS: Mapping[str, Abi] = MappingProxyType({abi.name: abi for abi in (X86_64_WHEEL, CORTEX_M)})
"""The names that `plan_arena(abi=...)` takes."""
