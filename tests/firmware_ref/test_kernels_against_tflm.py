"""Every kernel equals the real TFLM, bit for bit, on random one-operator models.

Every tensor that an operator writes is compared, and every variable after each frame. The models
run in the planned arena, so a wrong offset shows as well.
"""

from __future__ import annotations

import zlib

import draws
import numpy as np
import one_op_activation
import one_op_arithmetic
import one_op_case
import pytest
from one_op_case import Case
from one_op_models import ONE_OP_MODELS
from one_op_state import STATE_MODELS
from oracle import Oracle, needs_oracle

from firmware_ref import bit_patterns
from firmware_ref.interpreter import Interpreter
from firmware_ref.kernels import KERNELS
from firmware_ref.observe import TensorDump

pytestmark = needs_oracle


def models_of(name: str) -> int:
    """200 models of each operator; of its further type combinations fewer, as they share code."""
    if name.startswith("QUANTIZE/"):
        return 40
    is_variant = "/" in name and not name.startswith("DEQUANTIZE/")
    return 50 if is_variant or name == "SEPARABLE_BLOCK" else 200


def first_difference(case: Case, *, reset_before: int | None = None) -> str | None:
    """Run both interpreters over all frames; what differs first, None when nothing does.

    Both are reset before frame `reset_before`.
    """
    oracle = Oracle(case.content, case.arena_bytes)
    interpreter = Interpreter(model_content=case.content)
    dump = TensorDump()
    interpreter.observe(dump)
    interpreter.allocate_tensors()
    inputs = [detail["index"] for detail in interpreter.get_input_details()]
    variables = [
        tensor.index for tensor in interpreter.model.subgraphs[0].tensors if tensor.is_variable
    ]
    for number, frame in enumerate(case.frames):
        if number == reset_before:
            oracle.reset()
            interpreter.reset()
        for index, value in zip(inputs, frame, strict=True):
            interpreter.set_tensor(index, value)
        interpreter.invoke()
        expected = oracle.invoke(frame)
        received = dict(dump.tensors)
        received.update({(0, index): interpreter.get_tensor(index) for index in variables})
        written = {key for key in expected if key[0] > 0 or key[1] not in inputs}
        if not written <= received.keys():
            return f"frame {number}: tensors {written - received.keys()} were not written"
        for key in sorted(written):
            ours, theirs = received[key], expected[key]
            if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
                return f"frame {number}, tensor {key}: {ours.dtype}{ours.shape}, not {theirs.shape}"
            where = bit_patterns.first_difference(theirs, ours)
            if where is not None:
                return (
                    f"frame {number}, tensor {key}{where}: {ours[where]}, TFLM has {theirs[where]}"
                )
    return None


@pytest.mark.parametrize("name", sorted(ONE_OP_MODELS))
def test_equal_to_tflm(name: str) -> None:
    for seed in range(models_of(name)):
        case = ONE_OP_MODELS[name](np.random.default_rng([zlib.crc32(name.encode()), seed]))
        difference = first_difference(case)
        assert difference is None, f"{name}, seed {seed}: {difference}"


def test_rsqrt_of_other_zero_points() -> None:
    for zero_point in (-127, -50, 0, 100, 127):
        for seed in range(10):
            case = one_op_activation.rsqrt(np.random.default_rng(seed), zero_point)
            assert first_difference(case) is None, f"zero point {zero_point}, seed {seed}"


ELEMENTWISE = (
    *("ADD", "SUB", "MUL", "SQUARED_DIFFERENCE", "MAXIMUM", "MINIMUM"),
    *("ABS", "LEAKY_RELU", "LOGISTIC", "QUANTIZE", "RELU", "TANH"),
)


@pytest.mark.parametrize(
    "name", sorted(name for name in ONE_OP_MODELS if name.split("/")[0] in ELEMENTWISE)
)
def test_factors_are_exact_to_the_last_bit(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """65 536 values a model: so many show a factor of float32 precision instead of float64."""
    shape = (256, 256)
    monkeypatch.setattr(one_op_activation, "_shape", lambda rng: shape)
    monkeypatch.setattr(one_op_arithmetic, "_shapes", lambda rng: (shape, shape, shape))
    monkeypatch.setattr(one_op_arithmetic, "sizes", lambda rng, *bounds: shape)
    monkeypatch.setattr(one_op_case, "values", draws.uniform)
    for seed in range(12):
        case = ONE_OP_MODELS[name](np.random.default_rng([zlib.crc32(name.encode()), 2, seed]))
        difference = first_difference(case)
        assert difference is None, f"{name}, seed {seed}: {difference}"


def test_fully_connected_factor_is_exact_to_the_last_bit() -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        model, graph = one_op_case.one_op_graph()
        input_scale, weight_scale = draws.scale(rng), draws.scale(rng)
        x = draws.quantised(graph, rng, (256, 4), np.int16, of_scale=input_scale)
        data = rng.integers(-127, 128, (256, 4))
        weights = graph.tensor((256, 4), np.int8, scale=weight_scale, data=data)
        bias_scale = input_scale * weight_scale
        bias = graph.tensor((256,), np.int32, scale=bias_scale, data=np.zeros(256))
        y = draws.quantised(graph, rng, (256, 256), np.int16, of_scale=bias_scale * 2**8)
        graph.operator("FULLY_CONNECTED", [x, weights, bias], [y], options="FullyConnectedOptions")
        difference = first_difference(one_op_case.case(model, rng, [x], [y]))
        assert difference is None, f"seed {seed}: {difference}"


@pytest.mark.parametrize("name", sorted(STATE_MODELS))
def test_equal_to_tflm_after_a_reset(name: str) -> None:
    for seed in range(30):
        case = STATE_MODELS[name](np.random.default_rng([zlib.crc32(name.encode()), 1, seed]))
        difference = first_difference(case, reset_before=2)
        assert difference is None, f"{name}, seed {seed}: {difference}"


def test_every_kernel_has_models() -> None:
    several_operators = {"SEPARABLE_BLOCK", "VARIABLES"}
    variable_operators = {"VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE"}
    drawn = {name.split("/")[0] for name in ONE_OP_MODELS} - several_operators
    assert drawn | variable_operators == set(KERNELS)


def test_a_different_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KERNELS, "RELU", KERNELS["RELU6"])
    model = ONE_OP_MODELS["RELU"]
    differences = [first_difference(model(np.random.default_rng(seed))) for seed in range(10)]
    assert any(differences)
