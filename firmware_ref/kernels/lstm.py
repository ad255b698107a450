"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 or int16 activations, int8 weights, int16 cell and gates.

Sources: tensorflow/lite/micro/kernels/lstm_eval_common.cc (Prepare), lstm_eval.cc and lstm_eval.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import (
    Int64Array,
    multiply_by_quantized_multiplier,
    multiply_int64_by_quantized_multiplier,
    quantize_multiplier,
)
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.logistic_tanh import checked_log2
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import Activation, UnidirectionalSequenceLSTMOptions
from firmware_ref.sigmoid_table import logistic_int16, tanh_int16

_GATES = ("input", "forget", "cell", "output")
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES = 1, 5, 12  # first of four inputs, in that order
_HIDDEN_STATE, _CELL_STATE = 18, 19
_ABSENT = (9, 10, 11, 16, 17, 20, 21, 22, 23)  # peephole, projection, layer normalisation

_GATE_INPUT_SCALE = 2.0**-12  # Q3.12 before the non-linearity
_GATE_OUTPUT_SCALE = 2.0**-15  # Q0.15 after it


@dataclass(frozen=True, eq=False)
class _Dense:
    """int16 = clamp(M (sum_i w (q - z) + bias)) for the four gates side by side.

    Weights are float64 (inputs, 4 * cells): sums of integer products stay exact in it. int16
    activations have int64 accumulators, which are rounded once.
    """

    weights: NDArray[np.float64]
    bias: Int64Array
    multiplier: Int64Array
    shift: Int64Array
    zero_point: int
    wide: bool

    def __call__(self, q: NDArray[Any]) -> Int64Array:
        acc = ((q.astype(np.float64) - self.zero_point) @ self.weights).astype(np.int64)
        multiply = (
            multiply_int64_by_quantized_multiplier
            if self.wide
            else multiply_by_quantized_multiplier
        )
        return np.clip(multiply(acc + self.bias, self.multiplier, self.shift), -32768, 32767)


def _dense(x: View, weights: list[View], biases: list[View]) -> _Dense:
    factors = [float(x.scale) * float(w.scale) / _GATE_INPUT_SCALE for w in weights]
    cells = weights[0].shape[0]
    multiplier, shift = quantize_multiplier(np.repeat(factors, cells))
    return _Dense(
        np.concatenate([w.array.astype(np.float64) - w.zero_point for w in weights]).T.copy(),
        np.concatenate([b.array.astype(np.int64) for b in biases])
        if biases
        else np.zeros(4 * cells, np.int64),
        multiplier,
        shift,
        x.zero_point,
        wide=x.array.dtype == np.int16,
    )


def _check(node: Node) -> None:
    """What LstmTensors::ValidateTensorStatus and ValidateTensorSize ask for."""
    x, y, hidden, cell = (
        node.input(0), node.output(), node.input(_HIDDEN_STATE), node.input(_CELL_STATE),
    )  # fmt: skip
    present = [i for i in _ABSENT if node.optional_input(i) is not None]
    if present:
        raise node.error(
            "uses a peephole, a projection or layer normalisation (inputs "
            f"{', '.join(map(str, present))}), which TFLM does not support"
        )
    options = node.options(UnidirectionalSequenceLSTMOptions)
    if options.fused_activation_function is not Activation.TANH:
        raise node.error(
            f"has the cell activation {options.fused_activation_function.name}, expected TANH"
        )
    if options.cell_clip < 0:
        raise node.error(f"has the negative cell_clip {options.cell_clip}")
    if len(x.shape) != 3 or len(hidden.shape) != 2:
        raise node.error(f"needs a 3-D input and 2-D state, received {x.shape}, {hidden.shape}")
    batch = x.shape[1] if options.time_major else x.shape[0]
    cells = hidden.shape[1]
    shapes = {0: x.shape, _HIDDEN_STATE: (batch, cells), _CELL_STATE: (batch, cells)}
    for gate in range(4):
        shapes[_INPUT_WEIGHTS + gate] = (cells, x.shape[2])
        shapes[_RECURRENT_WEIGHTS + gate] = (cells, cells)
        shapes[_BIASES + gate] = (cells,)
    for position, shape in shapes.items():
        if node.input(position).shape != shape:
            raise node.error(
                f"has input {position} of shape {node.input(position).shape}, expected {shape}"
            )
    if y.shape != (x.shape[0], x.shape[1], cells):
        raise node.error(f"has an output of shape {y.shape}, expected {(*x.shape[:2], cells)}")
    if not (hidden.tensor.is_variable and cell.tensor.is_variable):
        raise node.error("needs variable tensors as its hidden and cell state")
    weights = [node.input(_INPUT_WEIGHTS + position) for position in range(8)]
    require_scales(node, x, hidden, cell, *weights)
    if cell.array.dtype != np.int16 or hidden.array.dtype != x.array.dtype:
        raise node.error(
            f"needs an int16 cell state and a hidden state of type {x.type}, received {cell.type} "
            f"and {hidden.type}"
        )


def prepare_unidirectional_sequence_lstm(node: Node) -> Invoke:
    """For each time step, with all gate values in int16:

    i, f, o = logistic(sat(W x + b) + sat(R h)),  g = tanh(sat(W x + b) + sat(R h))
    c = clip(sat(M_fc f c) + sat(M_ig i g)),  h = clamp(z_h + M_h tanh(c) o),  y_t = h

    Each product W x, R h is requantised to Q3.12 on its own. Clipping is off when cell_clip is 0.

    Shapes: x (batch, time, input), or (time, batch, input) when time_major; weights (cells, input)
    and (cells, cells); states (batch, cells); y as x with cells last.
    """
    _check(node)
    options = node.options(UnidirectionalSequenceLSTMOptions)
    x, y, hidden, cell = (
        node.input(0), node.output(), node.input(_HIDDEN_STATE), node.input(_CELL_STATE),
    )  # fmt: skip
    four = range(len(_GATES))
    from_input = _dense(
        x,
        [node.input(_INPUT_WEIGHTS + gate) for gate in four],
        [node.input(_BIASES + gate) for gate in four],
    )
    from_hidden = _dense(hidden, [node.input(_RECURRENT_WEIGHTS + gate) for gate in four], [])

    cell_scale = float(cell.scale)
    forget_times_cell = quantize_multiplier(_GATE_OUTPUT_SCALE * cell_scale / cell_scale)
    input_times_gate = quantize_multiplier(_GATE_OUTPUT_SCALE * _GATE_OUTPUT_SCALE / cell_scale)
    to_hidden = quantize_multiplier(_GATE_OUTPUT_SCALE * _GATE_OUTPUT_SCALE / float(hidden.scale))
    tanh_shift = checked_log2(cell.scale)[0] + 12
    tanh_multiplier = 3 if tanh_shift < 0 else 0
    clip = int(min(max(float(np.float32(options.cell_clip)) / cell_scale, -32768.0), 32767.0))
    info = np.iinfo(hidden.array.dtype)
    time_axis = 0 if options.time_major else 1
    steps_in = np.moveaxis(x.array, time_axis, 0)  # (time, batch, input)
    steps_out = np.moveaxis(y.array, time_axis, 0)  # (time, batch, cells)
    cells = hidden.shape[1]

    def invoke() -> None:
        projected = from_input(steps_in)  # (time, batch, 4 * cells)
        for t in range(steps_in.shape[0]):
            sums = np.clip(projected[t] + from_hidden(hidden.array), -32768, 32767)
            gates = logistic_int16(sums).astype(np.int64)
            input_gate, forget_gate = gates[:, :cells], gates[:, cells : 2 * cells]
            output_gate = gates[:, 3 * cells :]
            cell_gate = tanh_int16(sums[:, 2 * cells : 3 * cells]).astype(np.int64)

            kept = multiply_by_quantized_multiplier(forget_gate * cell.array, *forget_times_cell)
            added = multiply_by_quantized_multiplier(input_gate * cell_gate, *input_times_gate)
            new_cell = np.clip(
                np.clip(kept, -32768, 32767) + np.clip(added, -32768, 32767), -32768, 32767
            )
            if options.cell_clip > 0:
                new_cell = np.clip(new_cell, -clip, clip)
            np.copyto(cell.array, new_cell, casting="unsafe")

            activated = tanh_int16(new_cell, tanh_multiplier, abs(tanh_shift)).astype(np.int64)
            scaled = multiply_by_quantized_multiplier(activated * output_gate, *to_hidden)
            new_hidden = np.clip(scaled + hidden.zero_point, info.min, info.max)
            np.copyto(hidden.array, new_hidden, casting="unsafe")
            steps_out[t] = hidden.array

    return invoke


KERNELS = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Kernel(
        prepare_unidirectional_sequence_lstm,
        ("int8, int8 -> int8", "int16, int8 -> int16"),
        "tensorflow/lite/micro/kernels/lstm_eval.h",
        notes="no peephole, projection or layer normalisation, as in TFLM",
    )
}
