"""Where TFLM ends: what it refuses or leaves undefined is refused by name, the rest computed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from model_builder import ModelBuilder, SubgraphBuilder
from one_op_case import Case
from oracle import Oracle, OracleError, needs_oracle
from test_kernels_against_tflm import first_difference

from firmware_ref.errors import ModelError
from firmware_ref.interpreter import Interpreter

pytestmark = needs_oracle

Shape = tuple[int, ...]
Build = Callable[[SubgraphBuilder], None]
CONV = {"strideH": 1, "strideW": 1, "dilationHFactor": 1, "dilationWFactor": 1}


def activation(graph: SubgraphBuilder, shape: Shape, scale: float = 0.1) -> int:
    return graph.tensor(shape, np.int8, scale=scale)


def model_of(
    name: str,
    inputs: list[Shape | np.ndarray],
    outputs: list[Shape],
    options: str | None = None,
    output_scale: float = 0.1,
    **fields: Any,
) -> bytes:
    """One operator; inputs are shapes of int8 activations, or constants."""
    model = ModelBuilder()
    graph = model.subgraph()
    tensors = [
        graph.tensor(x.shape, x.dtype, scale=0.1 if x.dtype == np.int8 else None, data=x)
        if isinstance(x, np.ndarray)
        else activation(graph, x)
        for x in inputs
    ]
    results = [activation(graph, shape, output_scale) for shape in outputs]
    graph.operator(name, tensors, results, options=options, **fields)
    given = [t for t, x in zip(tensors, inputs, strict=True) if not isinstance(x, np.ndarray)]
    return model.build(given, results)


def ints(*values: int) -> np.ndarray:
    return np.array(values, np.int32)


def weights(*shape: int) -> np.ndarray:
    return np.ones(shape, np.int8)


def depthwise_with_an_omitted_bias() -> bytes:
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = activation(graph, (1, 4, 4, 2)), activation(graph, (1, 2, 2, 2))
    filters = graph.tensor((1, 3, 3, 2), np.int8, scale=0.1, data=weights(1, 3, 3, 2))
    options = {"padding": 1, "depthMultiplier": 1, **CONV}
    graph.operator(
        "DEPTHWISE_CONV_2D", [x, filters, -1], [y], options="DepthwiseConv2DOptions", **options
    )
    return model.build([x], [y])


def pad_in_place() -> bytes:
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = activation(graph, (2, 2)), activation(graph, (2, 2))
    nothing = graph.tensor((2, 2), np.int32, data=np.zeros((2, 2)))
    graph.operator("RELU", [x], [y])
    graph.operator("PAD", [y, nothing], [y])
    return model.build([x], [y])


def relu6_of_scale(scale: float) -> bytes:
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = activation(graph, (4,), scale), activation(graph, (4,), scale)
    graph.operator("RELU6", [x], [y])
    return model.build([x], [y])


REFUSED_BY_TFLM = {
    "too many inputs": (model_of("TANH", [(4,), (4,)], [(4,)]), "has 2 inputs; TFLM takes 1"),
    "too few inputs": (model_of("EXPAND_DIMS", [(2,)], [(1, 2)]), "has 1 inputs; TFLM takes 2"),
    "too many outputs": (model_of("QUANTIZE", [(4,)], [(4,), (4,)]), "has 2 outputs"),
    "an empty output": (
        model_of("RELU", [(0, 3)], [(0, 3)]),
        r"empty output 't1' of shape \(0, 3\).*static input shape",
    ),
    "seven dimensions": (
        model_of("CONCATENATION", [(1,) * 7], [(1,) * 7], "ConcatenationOptions"),
        "'t0' of 7 dimensions; TFLM's kernels take at most 6",
    ),
    "six transposed": (
        model_of("TRANSPOSE", [(1,) * 6, ints(*range(6))], [(1,) * 6]),
        "permutes 6 dimensions; TFLM takes at most 5",
    ),
    "an axis elsewhere": (
        model_of("EXPAND_DIMS", [(3, 4), ints(2)], [(1, 3, 4)]),
        r"output of shape \(1, 3, 4\), expected \(3, 4, 1\)",
    ),
    "an axis that the shape lacks": (
        model_of("SQUEEZE", [(1, 3)], [(3,)], "SqueezeOptions", squeezeDims=[7]),
        r"drops the axes \[7\] of \(1, 3\); expected axes of length 1",
    ),
    "another axis dropped": (
        model_of("SQUEEZE", [(1, 3, 1, 4)], [(3, 1, 4)], "SqueezeOptions", squeezeDims=[2]),
        r"output of shape \(3, 1, 4\), expected \(1, 3, 4\)",
    ),
}


@pytest.mark.parametrize("name", REFUSED_BY_TFLM)
def test_refused_by_both(name: str) -> None:
    content, message = REFUSED_BY_TFLM[name]
    with pytest.raises(OracleError):
        Oracle(content)
    with pytest.raises(ModelError, match=message):
        Interpreter(model_content=content).allocate_tensors()


UNDEFINED_IN_TFLM = {
    "an axis dropped backwards": (
        model_of("STRIDED_SLICE", [(3, 4), ints(1, 0), ints(0, 4), ints(-1, 1)], [(4,)],
                 "StridedSliceOptions", shrinkAxisMask=1),
        "drops axis 0 with the stride -1, where TFLM leaves its output unwritten",
    ),
    "parts of two sizes": (
        model_of("SPLIT", [ints(0), (4, 2)], [(1, 2), (3, 2)], "SplitOptions", numSplits=2),
        r"parts of the shapes \[\(1, 2\), \(3, 2\)\]; TFLM takes all for equal",
    ),
    "a depth multiplier that is none": (
        model_of("DEPTHWISE_CONV_2D", [(1, 4, 4, 2), weights(1, 3, 3, 4)], [(1, 4, 4, 4)],
                 "DepthwiseConv2DOptions", depthMultiplier=1, **CONV),
        "depth_multiplier 1, which TFLM goes by. Expected 2",
    ),
    "an omitted bias": (
        depthwise_with_an_omitted_bias(),
        "names tensor -1 as its bias, which TFLM reads without looking. Leave the third input out",
    ),
    "a result in place of an input": (
        pad_in_place(),
        r"\(PAD\) writes tensor 1 \('t1'\) while it reads it.*give the result a tensor of its own",
    ),
    "a scale that is almost zero": (
        model_of("RELU", [(4,)], [(4,)], output_scale=1e-39),
        "factor between scales",
    ),
    "a bound of infinitely many steps": (
        relu6_of_scale(1e-39),
        "has a scale of 1e-39, too fine for the bound 6 of its activation",
    ),
    "eight dimensions": (
        model_of("MUL", [(1,) * 7 + (2,)] * 2, [(1,) * 7 + (2,)], "MulOptions"),
        "'t0' of 8 dimensions; TFLM's kernels take at most 6",
    ),
    "a factor beyond int32": (
        model_of("MUL", [(4,), (4,)], [(4,)], "MulOptions", output_scale=1e-12),
        r"a factor between scales is 2\^33 or more, and TFLM's result undefined from 2\^31 on",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNDEFINED_IN_TFLM)
def test_undefined_in_tflm(name: str) -> None:
    content, message = UNDEFINED_IN_TFLM[name]
    with pytest.raises(ModelError, match=message):
        Interpreter(model_content=content).allocate_tensors()


def test_six_dimensions_broadcast_as_in_tflm() -> None:
    rng = np.random.default_rng(0)
    for name in ("ADD", "MUL", "SUB"):
        for full in ((2, 1, 3, 2, 2), (2, 1, 3, 2, 2, 2)):
            narrow = tuple(1 if axis % 2 else n for axis, n in enumerate(full))
            content = model_of(name, [full, narrow], [full], f"{name.title()}Options", 0.3)
            frame = [rng.integers(-128, 128, shape, np.int8) for shape in (full, narrow)]
            assert first_difference(Case(content, (tuple(frame),))) is None, (name, full)


@pytest.mark.parametrize("dtype", [np.int8, np.int16])
@pytest.mark.parametrize("name", ["ADD", "MUL", "SUB"])
def test_numbers_without_dimensions(name: str, dtype: type) -> None:
    """The wheel sets no input without dimensions, so a RESHAPE takes them off."""
    model = ModelBuilder()
    graph = model.subgraph()
    shapes: list[Shape] = [(1,), (), (), (1,)]
    x, number, result, y = (graph.tensor(shape, dtype, scale=0.1) for shape in shapes)
    graph.operator("RESHAPE", [x], [number], options="ReshapeOptions")
    graph.operator(name, [number, number], [result], options=f"{name.title()}Options")
    graph.operator("RESHAPE", [result], [y], options="ReshapeOptions")
    content = model.build([x], [y])
    frames = tuple((np.array([value], dtype),) for value in (-100, 0, 7, 127))
    assert first_difference(Case(content, frames)) is None
