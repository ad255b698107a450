"""What TFLite Micro needs of a converted graph; every breach is named."""

from __future__ import annotations

from firmware_ref.model import Model, TensorType
from tfkd.convert.op_resolver import METHODS
from tfkd.errors import ConversionError


def check_fully_int8(model: Model) -> None:
    """Refuse a graph that is not static, fully int8 and made of supported operators.

    Raises:
        ConversionError: names every float tensor, dynamic shape and foreign operator.
    """
    problems = []
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            label = f"tensor {tensor.index} '{tensor.name}'"
            if tensor.type not in (TensorType.INT8, TensorType.INT32):
                problems.append(f"{label} has type {tensor.type.name}; expected INT8 or INT32")
            if any(size < 0 for size in tensor.shape):
                problems.append(f"{label} has the dynamic shape {tensor.shape}")
        for operator in graph.operators:
            if operator.name not in METHODS:
                problems.append(
                    f"operator {operator.index} is {operator.name}; expected one of "
                    f"{', '.join(sorted(METHODS))}"
                )
    if problems:
        raise ConversionError(
            "the converted graph is not what TFLite Micro can run:\n  " + "\n  ".join(problems)
        )
