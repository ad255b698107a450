import numpy as np
import pytest
from compiled_c import needs_compiler

from firmware_ref.reader import read_model
from tfkd.config import FrontEndConfig
from tfkd.engines import tensor_trace
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.engines.tflm import ARENA_BYTES
from tfkd.engines.tflm_arena import tflm_arena_use
from tfkd.errors import ModelError, VerificationError
from tfkd.verify import (
    ORACLE,
    Difference,
    EngineComparison,
    check,
    compare_engines,
    compare_streams,
    speech_like_features,
)

pytestmark = pytest.mark.oracle


@pytest.fixture(scope="module")
def model(gate):
    return read_streaming_model(gate)


@pytest.fixture(scope="module")
def features(model):
    return speech_like_features(model.frontend, 60, seed=0)


def test_features_are_speech_like():
    features = speech_like_features(FrontEndConfig(), 500, seed=0)
    assert features.shape == (500, 64)
    assert features.dtype == np.float32
    assert features.min() == -1.0 and features.max() > 0.5
    np.testing.assert_array_equal(features, speech_like_features(FrontEndConfig(), 500, seed=0))
    assert (features != speech_like_features(FrontEndConfig(), 500, seed=1)).any()


@needs_compiler
def test_exported_code_agrees_in_every_mask(model, features):
    (comparison,) = compare_engines(model, ["c"], features)
    assert comparison.passed and comparison.equal
    assert (comparison.frames, comparison.values) == (60, 60 * 64)


@needs_compiler
def test_a_wrong_mask_of_exported_code_is_named(model, features, monkeypatch):
    from tfkd.engines.c import CEngine

    right = CEngine.run_q

    def wrong(engine, frames_q):
        masks_q = right(engine, frames_q)
        masks_q[:, 3] ^= 1
        return masks_q

    monkeypatch.setattr(CEngine, "run_q", wrong)
    (comparison,) = compare_engines(model, ["c"], features)
    with pytest.raises(
        VerificationError, match=r"c differs .* frame 0, .*\(mask, .* \[0, 0, 3, 0\]"
    ):
        check([comparison])


@pytest.mark.slow
def test_all_engines_agree_in_every_tensor(model, features):
    done: list[float] = []
    comparisons = compare_engines(model, ["tflite", "firmware-ref"], features, done.append)
    check(comparisons)
    assert sum(done) == 60
    tensors = 3 * 64 + 64 + 64 + 2 * 64  # history, logits, mask, new state
    assert {(c.engine, c.frames, c.values) for c in comparisons} == {
        ("tflite", 60, 60 * tensors),
        ("firmware-ref", 60, 60 * tensors),
    }


def test_first_difference_is_named(model, features, monkeypatch):
    """An engine that is one off, in one value of one tensor, from the sixth frame on."""

    def faulty(streaming):
        trace = tensor_trace.firmware_ref_trace(streaming)
        calls = iter(range(1000))

        def broken(inputs_q):
            tensors = {index: content.copy() for index, content in trace(inputs_q).items()}
            if next(calls) >= 5:
                tensors[5][0, 0, 7, 0] ^= 1  # tensor 5: the logits
            return tensors

        return broken

    monkeypatch.setitem(tensor_trace.TRACES, "firmware-ref", faulty)
    (comparison,) = compare_engines(model, ["firmware-ref"], features)
    difference = comparison.difference
    assert not comparison.passed
    assert (difference.frame, difference.tensor_name) == (5, "logits")
    assert (difference.operator, difference.element) == ("CONV_2D", (0, 0, 7, 0))
    assert abs(difference.expected - difference.received) == 1
    assert comparison.frames == 5
    with pytest.raises(
        VerificationError, match=r"frame 5, tensor 5 \(logits, written by CONV_2D\)"
    ):
        check([comparison])


@pytest.mark.parametrize(("operator", "passed"), [("FULLY_CONNECTED", True), ("CONV_2D", False)])
def test_only_a_difference_in_what_tflite_rounds_otherwise_is_excused(operator, passed):
    difference = Difference("tflite", 0, 5, "logits", operator, (0,), 10, 11)
    comparison = EngineComparison("tflite", 0, 0, difference, ("FULLY_CONNECTED",))
    assert comparison.passed == passed


@pytest.mark.parametrize(
    ("expected", "received", "message"),
    [
        ([np.nan, 0.0, 1.0], [np.nan, -0.0, 2.0], r"\[1\]: expected 0.0, received -0.0"),
        ([np.nan, 1.0], [np.nan, 2.0], r"\[1\]: expected 1.0, received 2.0"),
        ([1.0, 1.0], [1.0, np.nan], r"\[1\]: expected 1.0, received nan"),
    ],
)
def test_the_place_of_a_difference_is_told_by_the_bits(model, expected, received, message):
    graph = read_model(model.content)
    streams = {
        name: lambda frame, values=values: {5: np.float32(values)}
        for name, values in (("firmware-ref", received), (ORACLE, expected))
    }
    comparisons = compare_streams(graph, streams, [None], lambda frames: None)
    with pytest.raises(VerificationError, match=message):
        check(comparisons)


def test_a_wrong_state_is_found(model, features, monkeypatch):
    def forgetful(streaming):
        trace = tensor_trace.firmware_ref_trace(streaming)
        zeros = streaming.initial_states_q()
        return lambda inputs_q: trace([inputs_q[0], *zeros])

    monkeypatch.setitem(tensor_trace.TRACES, "firmware-ref", forgetful)
    (comparison,) = compare_engines(model, ["firmware-ref"], features)
    assert comparison.difference.tensor_name == "history"


def test_tflm_reports_the_arena_that_firmware_ref_predicts(model):
    from firmware_ref.arena import plan_arena

    plan = plan_arena(model.content, abi="x86_64-wheel")
    use = tflm_arena_use(model, ARENA_BYTES)
    assert (use.total_bytes, use.head_bytes, use.tail_bytes) == (
        plan.total_bytes,
        plan.head_bytes,
        plan.tail_bytes,
    )


def test_arena_that_is_too_small(model):
    with pytest.raises(ModelError, match="cannot allocate the model in 1000 bytes"):
        tflm_arena_use(model, 1000)
