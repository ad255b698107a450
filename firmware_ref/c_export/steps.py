"""The operators in the order of execution, with paddings moved into the convolutions.

A convolution treats what lies outside its input as the input's zero point, and that is what PAD
writes: PAD with a convolution behind it needs neither code nor memory.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from firmware_ref.c_export.nodes import operator_node
from firmware_ref.kernels.pad import border_value
from firmware_ref.model import Operator, Subgraph

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")


@dataclass(frozen=True)
class Step:
    """One operator to be emitted.

    `inputs` are the tensors that the code reads; they differ from the operator's where a PAD is
    skipped, whose rows and columns are then `pad_top` and `pad_left`.
    """

    operator: Operator
    inputs: tuple[int, ...]
    pad_top: int = 0
    pad_left: int = 0

    @property
    def outputs(self) -> tuple[int, ...]:
        """Tensors that the code writes."""
        return self.operator.outputs


def plan_steps(graph: Subgraph) -> list[Step]:
    """The steps of `graph`, PADs that only convolutions read left out."""
    readers = Counter(i for operator in graph.operators for i in operator.inputs)
    readers.update(graph.outputs)
    paddings = {
        operator.outputs[0]: operator
        for operator in graph.operators
        if operator.name == "PAD" and _is_spatial_zero_padding(graph, operator)
    }
    folded = Counter(
        operator.inputs[0] for operator in graph.operators if operator.name in CONVOLUTIONS
    )
    skipped = {i: pad for i, pad in paddings.items() if folded[i] == readers[i]}
    steps = []
    for operator in graph.operators:
        if operator.outputs and operator.outputs[0] in skipped:
            continue
        pad = skipped.get(operator.inputs[0]) if operator.name in CONVOLUTIONS else None
        if pad is None:
            steps.append(Step(operator, operator.inputs))
            continue
        before = _amounts(graph, pad)[:, 0]
        inputs = (pad.inputs[0], *operator.inputs[1:])
        steps.append(Step(operator, inputs, pad_top=int(before[1]), pad_left=int(before[2])))
    return steps


def _is_spatial_zero_padding(graph: Subgraph, pad: Operator) -> bool:
    """Whether PAD adds the zero point around height and width alone, without rescaling."""
    x, y = graph.tensors[pad.inputs[0]], graph.tensors[pad.outputs[0]]
    amounts = graph.tensors[pad.inputs[1]].data
    return (
        len(x.shape) == 4
        and amounts is not None
        and amounts.shape == (4, 2)
        and not amounts[[0, 3]].any()
        and (x.scale, x.zero_point) == (y.scale, y.zero_point)
        and border_value(operator_node(graph, pad)) == y.zero_point
    )


def _amounts(graph: Subgraph, pad: Operator) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """int64[4, 2]: cells before and after each axis."""
    return np.asarray(graph.tensors[pad.inputs[1]].data, np.int64)
