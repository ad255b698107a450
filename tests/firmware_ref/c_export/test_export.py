"""Generated C against firmware_ref and TFLM, frame by frame, with states."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import oracle
import pytest
import rounding_models
from compiled_c import COMPILERS, compile_c, needs_compiler, run_frames
from exported_models import frames_of, reference
from model_builder import ModelBuilder
from streaming_student import streaming_student

from firmware_ref import Model, ModelError, UnsupportedOpError, plan_arena, read_model
from firmware_ref.c_export import export_c

MODELS = Path(__file__).parent.parent / "models"
FRAMES = 1000


@pytest.fixture(scope="module")
def stream() -> tuple[Model, np.ndarray, np.ndarray, list]:
    """The student, 1000 frames, its masks, and every input of every frame."""
    content = streaming_student()
    model = read_model(content)
    frames_q = frames_of(model, FRAMES)
    masks, given = reference(content, model, frames_q)
    # The masks say something, and they depend on the states.
    assert len(np.unique(masks)) > 100
    assert not np.array_equal(masks[500], reference(content, model, frames_q[500:501])[0][0])
    return model, frames_q, masks, given


@needs_compiler
@pytest.mark.parametrize("compiler", COMPILERS)
def test_student_computes_the_bits_of_firmware_ref(compiler, stream, tmp_path):
    model, frames_q, masks, _ = stream
    program = compile_c(export_c(model), tmp_path, compiler)
    assert np.array_equal(run_frames(program, frames_q), masks)


@needs_compiler
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_optimised_code_computes_the_same(seed, tmp_path):
    content = streaming_student(seed)
    model = read_model(content)
    frames_q = frames_of(model, 100)
    program = compile_c(export_c(model), tmp_path, COMPILERS[0], ("-O3",))
    assert np.array_equal(run_frames(program, frames_q), reference(content, model, frames_q)[0])


@pytest.mark.oracle
@pytest.mark.skipif(not oracle.AVAILABLE, reason="the tflite-micro wheel is not installed")
@needs_compiler
def test_student_computes_the_bits_of_tflm(stream, tmp_path):
    model, frames_q, _, given = stream
    tflm = oracle.Oracle(streaming_student())
    masks = []
    for inputs in given:
        tflm.invoke(inputs)
        masks.append(tflm.output(0).reshape(-1))
    program = compile_c(export_c(model), tmp_path, COMPILERS[0])
    assert np.array_equal(run_frames(program, frames_q), np.stack(masks))


@needs_compiler
def test_converted_model(tmp_path):
    """A model from the converter, its inputs and outputs put in the order of the contract."""
    content = (MODELS / "stream.tflite").read_bytes()
    model = read_model(content)
    graph = model.subgraphs[0]
    far, frame, near = graph.inputs
    new_near, mask, new_far = graph.outputs
    ordered = replace(graph, inputs=(frame, near, far), outputs=(mask, new_near, new_far))
    model = replace(model, subgraphs=(ordered,))
    frames_q = frames_of(model, 200)
    program = compile_c(export_c(model), tmp_path, COMPILERS[0])
    assert np.array_equal(run_frames(program, frames_q), reference(content, model, frames_q)[0])


@needs_compiler
def test_frame_that_nothing_reads(tmp_path):
    """The mask is logistic of a state that stays at its zero point."""
    model = ModelBuilder()
    graph = model.subgraph()
    frame, state, mask = (
        graph.tensor((1, 4), np.int8, scale=2.0**-8, zero_point=z) for z in (1, 2, -128)
    )
    graph.operator("LOGISTIC", [state], [mask])
    source = export_c(read_model(model.build([frame, state], [mask, state])))
    program = compile_c(source, tmp_path, COMPILERS[0])
    masks = run_frames(program, np.zeros((3, 4), np.int8))
    assert masks.tolist() == [[0, 0, 0, 0]] * 3  # logistic(0) = 1/2 = 128 / 256


@needs_compiler
@pytest.mark.parametrize(
    "model_of",
    [rounding_models.convolution, rounding_models.rectified, rounding_models.additions],
)
def test_edges_of_rounding(model_of, tmp_path):
    content = model_of()
    model = read_model(content)
    frames_q = frames_of(model, 200)
    masks, _ = reference(content, model, frames_q)
    assert len(np.unique(masks)) > 200
    program = compile_c(export_c(model), tmp_path, COMPILERS[0])
    assert np.array_equal(run_frames(program, frames_q), masks)


def test_memory_is_far_below_tflms_arena():
    model = read_model(streaming_student())
    source = export_c(model)
    # windows of 3 x 8 x 4 and 5 x 1 x 12 bytes, and the running sum of 12
    assert source.state_bytes == 96 + 60 + 12
    assert source.state_bytes + source.work_bytes < plan_arena(model).total_bytes * 0.7


def test_export_is_deterministic():
    model = read_model(streaming_student())
    assert export_c(model) == export_c(model)


def test_code_uses_neither_heap_nor_floating_point():
    files = export_c(read_model(streaming_student())).files
    code = re.sub(r"/\*.*?\*/", "", "".join(files.values()), flags=re.DOTALL)
    assert set(re.findall(r"#include <(.*)>", code)) <= {
        "stddef.h",
        "stdint.h",
        "string.h",
        "arm_mve.h",
    }
    assert set(re.findall(r"\b(?:mem|str)\w+(?=\()", code)) == {"memcpy", "memset"}
    assert not re.search(r"\b(float|double|malloc|calloc)\b", code)


def test_operators_beyond_the_list_are_refused():
    with pytest.raises(
        UnsupportedOpError, match=r"is not supported by the C export\. Supported: ADD"
    ):
        export_c(read_model(MODELS / "lstm.tflite"))


def test_unpaired_states_are_refused():
    with pytest.raises(ModelError, match=r"output 1 must be the next value of input 1"):
        export_c(read_model(MODELS / "stream.tflite"))


def test_int16_is_refused():
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = (graph.tensor((1, 4), np.int16, scale=2.0**-15) for _ in range(2))
    graph.operator("LOGISTIC", [x], [y])
    with pytest.raises(ModelError, match=r"needs quantised int8 inputs and outputs.*is int16"):
        export_c(read_model(model.build([x], [y])))


def test_accumulators_that_may_overflow_are_refused():
    model = ModelBuilder()
    graph = model.subgraph()
    x = graph.tensor((1, 1, 1, 1), np.int8, scale=1.0)
    y = graph.tensor((1, 1, 1, 1), np.int8, scale=1.0)
    weights = graph.tensor((1, 1, 1, 1), np.int8, scale=[0.1], data=[127])
    bias = graph.tensor((1,), np.int32, scale=[0.1], data=[2**31 - 1])
    graph.operator(
        "CONV_2D", [x, weights, bias], [y], options="Conv2DOptions", strideH=1, strideW=1
    )
    with pytest.raises(ModelError, match=r"overflow its int32 accumulator in output channel 0"):
        export_c(read_model(model.build([x], [y])))


def padded_convolution(border: int | None, output_shape: tuple[int, ...] = (1, 1, 3, 2)) -> bytes:
    """PAD, with a border value or none, before a convolution."""
    model = ModelBuilder()
    graph = model.subgraph()
    x = graph.tensor((1, 1, 3, 2), np.int8, scale=0.1, zero_point=5)
    padded = graph.tensor(
        (*output_shape[:2], output_shape[2] + 2, 2), np.int8, scale=0.1, zero_point=5
    )
    y = graph.tensor(output_shape, np.int8, scale=0.1)
    sides = graph.tensor((4, 2), np.int32, data=[[0, 0], [0, 0], [1, 1], [0, 0]])
    rng = np.random.default_rng(0)
    filters = graph.tensor((2, 1, 3, 2), np.int8, scale=0.1, data=rng.integers(-9, 9, (2, 1, 3, 2)))
    inputs = [x, sides]
    if border is not None:
        inputs.append(graph.tensor((1,), np.int8, scale=0.1, zero_point=5, data=[border]))
    graph.operator("PAD", inputs, [padded])
    options = {"padding": 1, "strideH": 1, "strideW": 1}
    options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    graph.operator("CONV_2D", [padded, filters], [y], options="Conv2DOptions", **options)
    return model.build([x], [y])


@needs_compiler
@pytest.mark.parametrize("border", [None, 5, -128, 90])
def test_a_border_of_any_value_is_padded(border, tmp_path):
    content = padded_convolution(border)
    model = read_model(content)
    frames_q = frames_of(model, 20)
    program = compile_c(export_c(model), tmp_path, COMPILERS[0])
    assert np.array_equal(run_frames(program, frames_q), reference(content, model, frames_q)[0])


def test_a_padding_that_does_not_fit_is_refused():
    model = read_model(padded_convolution(None, output_shape=(1, 1, 4, 2)))
    with pytest.raises(ModelError, match="PAD.*its output has"):
        export_c(model)


@pytest.mark.parametrize("name", ["CONV_2D", "PAD", "STRIDED_SLICE", "ADD", "CONCATENATION"])
@pytest.mark.parametrize("lacks", ["inputs", "outputs"])
def test_operators_without_tensors_are_refused(name, lacks):
    model = read_model(padded_convolution(None))
    graph = model.subgraphs[0]
    convolution = replace(graph.operators[1], name=name, options=None, **{lacks: ()})
    broken = replace(graph, operators=(graph.operators[0], convolution))
    with pytest.raises((ModelError, UnsupportedOpError), match=name):
        export_c(replace(model, subgraphs=(broken,)))


def test_variables_and_results_written_twice_are_refused():
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = (graph.tensor([1, 4], np.int8, scale=0.1) for _ in range(2))
    state = graph.tensor([1, 4], np.int8, scale=0.1, is_variable=True)
    graph.operator("ADD", [x, state], [y], options="AddOptions")
    with pytest.raises(ModelError, match=r"operator 0 \(ADD\) reads 't2', which is a variable"):
        export_c(read_model(model.build([x], [y])))
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = (graph.tensor([1, 4], np.int8, scale=0.1) for _ in range(2))
    for source in (x, x):
        graph.operator("RESHAPE", [source], [y], options="ReshapeOptions")
    with pytest.raises(ModelError, match=r"operator 1 \(RESHAPE\) writes 't1' over"):
        export_c(read_model(model.build([x], [y])))
