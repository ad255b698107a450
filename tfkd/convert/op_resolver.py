"""The operators of a model as a TFLite Micro op resolver."""

from __future__ import annotations

from collections.abc import Iterable

# Name in the TFLite schema -> method of tflite::MicroMutableOpResolver.
METHODS = {
    "ADD": "AddAdd",
    "CONCATENATION": "AddConcatenation",
    "CONV_2D": "AddConv2D",
    "DEPTHWISE_CONV_2D": "AddDepthwiseConv2D",
    "LOGISTIC": "AddLogistic",
    "PAD": "AddPad",
    "RESHAPE": "AddReshape",
    "RESIZE_NEAREST_NEIGHBOR": "AddResizeNearestNeighbor",
    "STRIDED_SLICE": "AddStridedSlice",
}


def resolver_snippet(operators: Iterable[str]) -> str:
    """C++ text that registers each operator once."""
    names = sorted(set(operators))
    calls = "\n".join(f"  resolver.{METHODS[name]}();" for name in names)
    return f"""// Operators of this model, written by `tfkd convert --tflite-micro`.
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

using TfkdOpResolver = tflite::MicroMutableOpResolver<{len(names)}>;

inline void RegisterTfkdOps(TfkdOpResolver& resolver) {{
{calls}
}}
"""
