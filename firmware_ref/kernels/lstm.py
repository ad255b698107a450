"""UNIDIRECTIONAL_SEQUENCE_LSTM: int8 or int16 activations, int8 weights, int16 cell and gates.

Sources: tensorflow/lite/micro/kernels/lstm_eval_common.cc (Prepare), lstm_eval.cc and lstm_eval.h.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from firmware_ref.fixed_point import Requantizer
from firmware_ref.kernels.filter_quantization import largest_magnitude
from firmware_ref.kernels.kernel import Kernel
from firmware_ref.kernels.logistic_tanh import checked_log2
from firmware_ref.kernels.quantized import require_scales
from firmware_ref.kernels.scaled_filter import OutputRange, ScaledFilter
from firmware_ref.node import Invoke, Node, View
from firmware_ref.options import Activation, UnidirectionalSequenceLSTMOptions
from firmware_ref.sigmoid_table import logistic_of_all, tanh_of_all

_GATES = (0, 1, 3, 2)  # input, forget, output, cell: the three that pass a sigmoid first
_INPUT_WEIGHTS, _RECURRENT_WEIGHTS, _BIASES = 1, 5, 12  # first of four inputs, in that order
_HIDDEN_STATE, _CELL_STATE = 18, 19
_INPUTS = 24
_ABSENT = (9, 10, 11, 16, 17, 20, 21, 22, 23)  # peephole, projection, layer normalisation

_GATE_INPUT_SCALE = 2.0**-12  # Q3.12 before the non-linearity
_GATE_OUTPUT_SCALE = 2.0**-15  # Q0.15 after it


class _GateSums:
    """int16 = clamp(M (sum_i w (q - z) + bias)) for the four gates side by side.

    `source` views the activations as (..., inputs); `sums` is (..., 4 * cells). int16 activations
    have int64 accumulators, which are rounded once.
    """

    def __init__(
        self, source: NDArray[Any], x: View, weights: list[View], biases: list[View]
    ) -> None:
        cells = weights[0].shape[0]
        filters = np.concatenate([w.array.astype(np.int64) - w.zero_point for w in weights]).T
        offset = -x.zero_point * filters.sum(axis=0)
        if biases:
            offset = offset + np.concatenate([bias.array.astype(np.int64) for bias in biases])
        factors = [float(x.scale) * float(w.scale) / _GATE_INPUT_SCALE for w in weights]
        scaled = ScaledFilter(
            filters,
            offset,
            np.repeat(factors, cells),
            largest_magnitude(x),
            OutputRange(0, -32768, 32767, wide=x.array.dtype == np.int16),
        )
        self.sums = np.empty((*source.shape[:-1], 4 * cells), np.int16)
        # The last column is 1 and meets the offset.
        matrix = np.ones((*source.shape[:-1], source.shape[-1] + 1))
        self._inputs, self._source = matrix[..., :-1], source
        self._rows = matrix.reshape(-1, matrix.shape[-1])
        self._folded = np.vstack([scaled.weights, scaled.offset])
        self._product = np.empty((self._rows.shape[0], 4 * cells))
        self._round = scaled.rounding(self._product, self.sums.reshape(self._product.shape))

    def update(self) -> None:
        """Work `sums` out for what `source` holds now."""
        self._inputs[...] = self._source
        self._rows.dot(self._folded, self._product)
        self._round()


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
    cells, time_axis = hidden.shape[1], 0 if options.time_major else 1
    steps_in = np.moveaxis(x.array, time_axis, 0)  # (time, batch, input)
    steps_out = np.moveaxis(y.array, time_axis, 0)  # (time, batch, cells)
    from_input = _GateSums(
        steps_in,
        x,
        [node.input(_INPUT_WEIGHTS + gate) for gate in _GATES],
        [node.input(_BIASES + gate) for gate in _GATES],
    )
    from_hidden = _GateSums(
        hidden.array, hidden, [node.input(_RECURRENT_WEIGHTS + gate) for gate in _GATES], []
    )
    cell_scale = float(cell.scale)
    # What a cell keeps and what is added to it, scaled in one go: (2, 1, 1) factors.
    scale_products = Requantizer.from_factor(
        np.array(
            [
                [[_GATE_OUTPUT_SCALE * cell_scale / cell_scale]],
                [[_GATE_OUTPUT_SCALE * _GATE_OUTPUT_SCALE / cell_scale]],
            ]
        ),
        zero_point=0,
        low=-32768,
        high=32767,
    )
    products = np.empty((2, *cell.shape), np.int64)
    info = np.iinfo(hidden.array.dtype)
    scale_hidden = Requantizer.from_factor(
        _GATE_OUTPUT_SCALE * _GATE_OUTPUT_SCALE / float(hidden.scale),
        zero_point=hidden.zero_point,
        low=int(info.min),
        high=int(info.max),
    )
    logistic_table, gate_tanh_table = logistic_of_all(), tanh_of_all()
    shift = checked_log2(cell.scale)[0] + 12
    cell_tanh_table = tanh_of_all(3 if shift < 0 else 0, abs(shift))
    limit = 32768
    if options.cell_clip > 0:
        limit = int(min(float(np.float32(options.cell_clip)) / cell_scale, 32767.0))
    low, high = -limit, min(limit, 32767)
    int16 = np.dtype(np.int16)

    def invoke() -> None:
        from_input.update()
        for projected, out in zip(from_input.sums, steps_out, strict=True):
            from_hidden.update()
            sums = np.add(projected, from_hidden.sums, dtype=np.int32)
            np.maximum(np.minimum(sums, 32767, out=sums), -32768, out=sums)
            index = sums.astype(int16).view(np.uint16)
            gates = logistic_table.take(index[:, : 3 * cells])
            input_gate, forget_gate = gates[:, :cells], gates[:, cells : 2 * cells]
            output_gate = gates[:, 2 * cells :]
            cell_gate = gate_tanh_table.take(index[:, 3 * cells :])

            np.multiply(forget_gate, cell.array, products[0])
            np.multiply(input_gate, cell_gate, products[1])
            kept, added = scale_products(products, int16)
            total = np.add(kept, added, dtype=np.int32)
            cell.array[...] = np.maximum(np.minimum(total, high, out=total), low, out=total)

            activated = cell_tanh_table.take(cell.array.view(np.uint16))
            hidden.array[...] = scale_hidden(activated * output_gate, hidden.array.dtype)
            out[...] = hidden.array

    return invoke


KERNELS = {
    "UNIDIRECTIONAL_SEQUENCE_LSTM": Kernel(
        prepare_unidirectional_sequence_lstm,
        ("int8, int8 -> int8", "int16, int8 -> int16"),
        "tensorflow/lite/micro/kernels/lstm_eval.h",
        notes="no peephole, projection or layer normalisation, as in TFLM",
        input_count=(_INPUTS, _INPUTS),
    )
}
