"""The interpreter's conventions, its arena, and equality with TFLM on converted models."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from oracle import Oracle, needs_oracle

from firmware_ref.errors import ArenaError, ModelError, TensorError
from firmware_ref.interpreter import Interpreter
from firmware_ref.observe import Profile, TensorDump

MODELS = Path(__file__).parent / "models"
NAMES = sorted(path.stem for path in MODELS.glob("*.tflite"))


def load(name: str) -> Interpreter:
    interpreter = Interpreter(model_path=MODELS / f"{name}.tflite")
    interpreter.allocate_tensors()
    return interpreter


def draw_frame(interpreter: Interpreter, rng: np.random.Generator) -> list[np.ndarray]:
    """One array per input, over the whole range of its type."""
    frame = []
    for detail in interpreter.get_input_details():
        if detail["dtype"] == np.float32:
            frame.append(rng.uniform(-1, 1, detail["shape"]).astype(np.float32))
        else:
            info = np.iinfo(detail["dtype"])
            frame.append(rng.integers(info.min, info.max + 1, detail["shape"], detail["dtype"]))
    return frame


def set_frame(interpreter: Interpreter, frame: list[np.ndarray]) -> None:
    for detail, value in zip(interpreter.get_input_details(), frame, strict=True):
        interpreter.set_tensor(detail["index"], value)


def outputs(interpreter: Interpreter) -> list[np.ndarray]:
    return [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]


@pytest.mark.parametrize("name", NAMES)
@needs_oracle[0]
@needs_oracle[1]
def test_every_tensor_of_every_frame_equals_tflm(name):
    interpreter = load(name)
    interpreter.observe(dump := TensorDump())
    oracle = Oracle((MODELS / f"{name}.tflite").read_bytes())
    rng = np.random.default_rng(11)
    for frame_index in range(60):
        if frame_index == 40:
            interpreter.reset()
            oracle.reset()
        frame = draw_frame(interpreter, rng)
        set_frame(interpreter, frame)
        interpreter.invoke()
        expected = oracle.invoke(frame)
        assert dump.tensors
        for key, value in dump.tensors.items():
            if key in expected:
                np.testing.assert_array_equal(value, expected[key], str((frame_index, key)))


@needs_oracle[0]
@needs_oracle[1]
def test_a_stream_that_feeds_its_states_back_equals_tflm_for_500_frames():
    """States go from outputs to inputs by shape and scale, as a firmware would hand them on."""
    interpreter = load("stream")
    oracle = Oracle((MODELS / "stream.tflite").read_bytes())
    inputs, results = interpreter.get_input_details(), interpreter.get_output_details()
    rng = np.random.default_rng(2)
    frame = [np.full(detail["shape"], detail["quantization"][1], np.int8) for detail in inputs]
    for index in range(500):
        for position, detail in enumerate(inputs):
            if detail["shape"][1] == 1:
                frame[position] = rng.integers(-128, 128, detail["shape"]).astype(np.int8)
        set_frame(interpreter, frame)
        interpreter.invoke()
        oracle.invoke(frame)
        for position, detail in enumerate(results):
            got = interpreter.get_tensor(detail["index"])
            np.testing.assert_array_equal(got, oracle.output(position), str((index, position)))
            for target, candidate in enumerate(inputs):
                if candidate["shape"][1] > 1 and tuple(candidate["shape"]) == got.shape:
                    frame[target] = got


def test_details_have_the_keys_of_tf_lite():
    [detail, *_] = load("cnn").get_input_details()
    assert set(detail) == {
        "name",
        "index",
        "shape",
        "shape_signature",
        "dtype",
        "quantization",
        "quantization_parameters",
        "sparsity_parameters",
    }
    assert detail["dtype"] is np.int8
    assert detail["shape"].tolist() == [1, 8, 8, 3]
    scale, zero_point = detail["quantization"]
    assert detail["quantization_parameters"]["scales"].tolist() == [np.float32(scale)]
    assert detail["quantization_parameters"]["zero_points"].tolist() == [zero_point]


def test_same_input_gives_the_same_output_although_the_arena_is_reused():
    interpreter = load("cnn")
    frame = draw_frame(interpreter, np.random.default_rng(0))
    set_frame(interpreter, frame)
    interpreter.invoke()
    first = outputs(interpreter)
    assert not np.array_equal(
        interpreter.get_tensor(interpreter.get_input_details()[0]["index"]), frame[0]
    ), "the input's memory is reused after its last reader, as in TFLM"
    set_frame(interpreter, frame)
    interpreter.invoke()
    for a, b in zip(first, outputs(interpreter), strict=True):
        np.testing.assert_array_equal(a, b)


def test_tensors_live_in_the_arena_at_the_planned_offsets():
    interpreter = load("stream")
    offsets = interpreter.plan.tensor_offsets
    for detail in interpreter.get_input_details():
        view = interpreter.tensor_view(detail["index"])
        start = view.ctypes.data - interpreter.arena.ctypes.data
        assert start == offsets[0, detail["index"]]
        assert np.shares_memory(view, interpreter.arena)


def test_reset_brings_variables_back():
    interpreter = load("stream_variable")
    rng = np.random.default_rng(4)
    frames = [draw_frame(interpreter, rng) for _ in range(4)]

    def run() -> list[np.ndarray]:
        results = []
        for frame in frames:
            set_frame(interpreter, frame)
            interpreter.invoke()
            results.extend(outputs(interpreter))
        return results

    # The first invoke also runs CALL_ONCE, which a reset does not repeat.
    run()
    interpreter.reset()
    first = run()
    without_reset = run()
    interpreter.reset()
    again = run()
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(first, without_reset, strict=True))


def test_an_arena_one_byte_too_small_is_refused():
    path = MODELS / "cnn.tflite"
    needed = Interpreter(model_path=path).plan.min_bytes
    Interpreter(model_path=path, arena_size=needed).allocate_tensors()
    small = Interpreter(model_path=path, arena_size=needed - 1)
    with pytest.raises(ArenaError, match=f"{needed} bytes needed, {needed - 1} bytes given") as e:
        small.allocate_tensors()
    assert (e.value.needed, e.value.given) == (needed, needed - 1)


def test_wrong_values_are_refused_in_words():
    interpreter = load("cnn")
    index = interpreter.get_input_details()[0]["index"]
    with pytest.raises(TensorError, match=r"expects int8 of shape \(1, 8, 8, 3\), received float"):
        interpreter.set_tensor(index, np.zeros((1, 8, 8, 3)))
    with pytest.raises(TensorError, match=r"received int8 of shape \(8, 8, 3\)"):
        interpreter.set_tensor(index, np.zeros((8, 8, 3), np.int8))
    with pytest.raises(TensorError, match="there is no tensor 999"):
        interpreter.get_tensor(999)
    constant = next(
        t.index for t in interpreter.model.subgraphs[0].tensors if t.is_constant and t.elements
    )
    with pytest.raises(TensorError, match="is a constant"):
        interpreter.set_tensor(constant, interpreter.get_tensor(constant))


def test_misuse_is_refused_in_words():
    with pytest.raises(TypeError, match="either `model_path` or `model_content`"):
        Interpreter()
    with pytest.raises(ModelError, match="cannot read"):
        Interpreter(model_path="nowhere.tflite")
    interpreter = Interpreter(model_path=MODELS / "cnn.tflite")
    for call in (interpreter.invoke, interpreter.reset, lambda: interpreter.get_tensor(0)):
        with pytest.raises(TensorError, match="allocate_tensors"):
            call()


def test_observers_see_every_operator_of_every_subgraph():
    interpreter = load("stream_variable")
    interpreter.observe(profile := Profile())
    interpreter.invoke()
    interpreter.invoke()
    counts = {key: time.calls for key, time in profile.times.items()}
    main, initial = interpreter.model.subgraphs
    assert counts == {
        **{(0, op.index): 2 for op in main.operators},
        **{(1, op.index): 1 for op in initial.operators},
    }
    assert all(time.total_ns > 0 for time in profile.times.values())
