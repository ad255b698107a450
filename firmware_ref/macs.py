"""Multiply-accumulates of each operator: the common measure of a model's work.

    CONV_2D            output elements * kh * kw * C_in
    DEPTHWISE_CONV_2D  output elements * kh * kw
    TRANSPOSE_CONV     input elements * kh * kw * C_out
    FULLY_CONNECTED    output elements * C_in
    LSTM               steps * batch * 4 * (hidden * C_in + hidden * hidden)
    SVDF               batch * filters * (C_in + memory)

Other operators (additions, tables, copies) count 0.
"""

from __future__ import annotations

import math

from firmware_ref.model import Model, Operator, Subgraph


def operator_macs(op: Operator, subgraph: Subgraph) -> int:
    """Multiply-accumulates of one run of `op`; 0 where a tensor that they depend on is missing."""
    shapes = [subgraph.tensors[index].shape if index >= 0 else () for index in op.inputs]
    results = [subgraph.tensors[index].shape for index in op.outputs]
    if len(shapes) < 2 or not results:
        return 0
    output_elements = math.prod(results[0])
    source, weights = shapes[0], shapes[1]
    if op.name == "CONV_2D" and weights:
        return output_elements * math.prod(weights[1:])
    if op.name == "DEPTHWISE_CONV_2D":
        return output_elements * math.prod(weights[1:3])
    if op.name == "TRANSPOSE_CONV" and len(shapes) > 2 and weights:
        return math.prod(shapes[2]) * math.prod(weights[:3])
    if op.name == "FULLY_CONNECTED" and weights:
        return output_elements * weights[-1]
    if op.name == "UNIDIRECTIONAL_SEQUENCE_LSTM" and len(shapes) > 6 and source:
        runs = math.prod(source[:-1])
        gates = sum(math.prod(shape) for shape in shapes[1:9])
        return runs * gates
    if op.name == "SVDF" and len(shapes) > 2 and source:
        return source[0] * (math.prod(weights) + math.prod(shapes[2]))
    return 0


def model_macs(model: Model) -> int:
    """Multiply-accumulates of one inference: the main subgraph's operators."""
    main = model.subgraphs[0]
    return sum(operator_macs(op, main) for op in main.operators)
