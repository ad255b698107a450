"""The released students, whole: every tensor of 500 frames with state, and the arena, as TFLM's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import Oracle, needs_oracle
from tflm_arena import bisected_minimum, report

from firmware_ref.arena import plan_arena
from firmware_ref.interpreter import Interpreter
from firmware_ref.observe import TensorDump

pytestmark = needs_oracle

RELEASED = Path(__file__).parent.parent.parent / "tflite"
STUDENTS = sorted(RELEASED.glob("*/model.tflite"))
FRAMES = 500


def test_there_are_students() -> None:
    assert STUDENTS


@pytest.mark.parametrize("path", STUDENTS, ids=lambda path: path.parent.name)
def test_every_tensor_of_every_frame_equals_tflm(path: Path) -> None:
    content = path.read_bytes()
    interpreter = Interpreter(model_content=content)
    interpreter.observe(dump := TensorDump())
    interpreter.allocate_tensors()
    oracle = Oracle(content)
    inputs = interpreter.get_input_details()
    outputs = [detail["index"] for detail in interpreter.get_output_details()]
    states = [np.full(d["shape"], d["quantization"][1], np.int8) for d in inputs[1:]]
    rng = np.random.default_rng(0)
    for number in range(FRAMES):
        # Levels wander from silence to saturation, as speech does.
        level = 20 + 60 * np.sin(number / 15)
        frame = np.clip(rng.normal(level - 60, 25, inputs[0]["shape"]), -128, 127)
        values = [frame.astype(np.int8), *states]
        for detail, value in zip(inputs, values, strict=True):
            interpreter.set_tensor(detail["index"], value)
        interpreter.invoke()
        expected = oracle.invoke(values)
        for key, tensor in dump.tensors.items():
            assert tensor.tobytes() == expected[key].tobytes(), f"frame {number}, tensor {key}"
        states = [dump.tensors[0, index] for index in outputs[1:]]
    assert any((state != state.flat[0]).any() for state in states)


@pytest.mark.parametrize("path", STUDENTS, ids=lambda path: path.parent.name)
def test_arena_is_tflms_to_the_byte(path: Path) -> None:
    content = path.read_bytes()
    plan, tflm = plan_arena(content, abi="x86_64-wheel"), report(content)
    assert (plan.total_bytes, plan.head_bytes, plan.tail_bytes) == (
        tflm.total_bytes,
        tflm.head_bytes,
        tflm.tail_bytes,
    )
    assert plan.min_bytes == bisected_minimum(content, 2 * plan.min_bytes)
