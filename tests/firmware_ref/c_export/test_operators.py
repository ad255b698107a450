"""Every exported operator on random one-operator models, against firmware_ref."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from compiled_c import COMPILERS, compile_c, needs_compiler, run_frames
from one_op_models import ONE_OP_MODELS, Case

from firmware_ref import Interpreter, Model, ModelError, read_model
from firmware_ref.c_export import export_c
from firmware_ref.c_export.operators import EMITTERS
from firmware_ref.model import TensorType

DRAWS = 4


def exportable(name: str) -> Iterator[tuple[Case, Model]]:
    """Cases of int8 within the export's limits; inputs after the first become constants."""
    rng = np.random.default_rng(11)
    for _ in range(400):
        case = ONE_OP_MODELS[name](rng)
        model = read_model(case.content)
        graph = model.subgraphs[0]
        ends = [graph.tensors[i] for i in (*graph.inputs, *graph.outputs)]
        if any(t.type is not TensorType.INT8 or t.quantization is None for t in ends):
            continue
        tensors = list(graph.tensors)
        for index, value in zip(graph.inputs[1:], case.frames[0][1:], strict=True):
            tensors[index] = replace(tensors[index], data=value)
        constant = replace(graph, tensors=tuple(tensors), inputs=graph.inputs[:1])
        yield case, replace(model, subgraphs=(constant,))


@needs_compiler
@pytest.mark.parametrize("name", sorted(EMITTERS.keys() & ONE_OP_MODELS.keys()))
def test_operator_computes_the_bits_of_firmware_ref(name, tmp_path):
    checked = 0
    for case, model in exportable(name):
        try:
            source = export_c(model)
        except ModelError as error:
            assert any(word in str(error) for word in ("lacks", "batch", "overflow", "no element"))
            continue
        interpreter = Interpreter(model_content=case.content)
        interpreter.allocate_tensors()
        graph = interpreter.model.subgraphs[0]
        for index, value in zip(graph.inputs, case.frames[0], strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        expected = interpreter.get_tensor(graph.outputs[0]).reshape(1, -1)
        program = compile_c(source, tmp_path / str(checked), COMPILERS[0])
        assert np.array_equal(run_frames(program, case.frames[0][0][np.newaxis]), expected)
        checked += 1
        if checked == DRAWS:
            break
    assert checked == DRAWS


def test_every_operator_has_random_models():
    assert sorted(EMITTERS.keys() - ONE_OP_MODELS.keys()) == []
