"""A .tflite as C source: aligned bytes, its size, and the zero point of every state."""

from __future__ import annotations

from collections.abc import Sequence

BYTES_PER_LINE = 12


def header(name: str, states: Sequence[tuple[int, int]]) -> str:
    """Text of model_data.h.

    Args:
        name: model name, part of every symbol.
        states: (bytes, zero point) of each state, in input order.
    """
    symbol = _symbol(name)
    guard = f"TFKD_{symbol.upper()}_MODEL_DATA_H_"
    return f"""/* Model '{name}' for TFLite Micro, written by `tfkd convert --tflite-micro`.
 *
 * Inputs: 0 the frame, 1.. the states. Outputs: 0 the mask, 1.. the new states in the same order.
 * Before the first frame fill state i with kTfkd{_camel(name)}StateZeroPoint[i], which is input
 * i + 1. After each Invoke copy output i + 1 to input i + 1. All inputs must be set before every
 * Invoke: TFLite Micro reuses their memory. */
#ifndef {guard}
#define {guard}

#include <cstddef>
#include <cstdint>

extern const unsigned char kTfkd{_camel(name)}Model[];
extern const size_t kTfkd{_camel(name)}ModelSize;

constexpr int kTfkd{_camel(name)}StateCount = {len(states)};
extern const size_t kTfkd{_camel(name)}StateBytes[];
extern const int8_t kTfkd{_camel(name)}StateZeroPoint[];

#endif  // {guard}
"""


def source(name: str, content: bytes, states: Sequence[tuple[int, int]]) -> str:
    """Text of model_data.cc; arguments as for `header`, `content` the flatbuffer."""
    lines = []
    for start in range(0, len(content), BYTES_PER_LINE):
        row = content[start : start + BYTES_PER_LINE]
        lines.append("    " + " ".join(f"0x{byte:02x}," for byte in row))
    body = "\n".join(lines)
    sizes = ", ".join(str(size) for size, _ in states)
    zero_points = ", ".join(str(zero_point) for _, zero_point in states)
    camel = _camel(name)
    return f"""// Model '{name}' for TFLite Micro, written by `tfkd convert --tflite-micro`.
#include "model_data.h"

alignas(16) const unsigned char kTfkd{camel}Model[] = {{
{body}
}};
const size_t kTfkd{camel}ModelSize = {len(content)};

const size_t kTfkd{camel}StateBytes[] = {{{sizes}}};
const int8_t kTfkd{camel}StateZeroPoint[] = {{{zero_points}}};
"""


def _symbol(name: str) -> str:
    return "".join(c if c.isalnum() else "_" for c in name)


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in _symbol(name).split("_"))
