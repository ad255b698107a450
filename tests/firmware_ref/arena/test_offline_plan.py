"""Prescribed plans: what they save, and that TFLM runs them to the same outputs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from known_models import KNOWN_MODELS, Layers
from model_builder import ModelBuilder
from oracle import needs_oracle
from planner_requests import find_overlap
from tflm_arena import arenas_that_work, report

from firmware_ref.arena import plan_arena, plan_offline, write_offline_plan
from firmware_ref.arena.model_buffers import OFFLINE_METADATA
from firmware_ref.errors import ModelError
from firmware_ref.interpreter import Interpreter
from firmware_ref.metadata_writer import with_metadata
from firmware_ref.reader import read_model


def prescribed(content: bytes, abi: str) -> bytes:
    return with_metadata(content, OFFLINE_METADATA, plan_offline(content, abi).metadata)


def test_a_decoder_with_skips_shrinks_to_its_live_bytes() -> None:
    plan = plan_offline(KNOWN_MODELS["unet"](), "cortex-m")
    assert (plan.greedy.head_bytes, plan.planned.head_bytes) == (2816, 2304)
    assert plan.planned.head_bytes == plan.greedy.live_bytes
    assert plan.is_optimal
    assert plan.saved_bytes == 512


@pytest.mark.parametrize("name", sorted(KNOWN_MODELS))
def test_plans_are_sound_and_never_larger(name: str) -> None:
    content = KNOWN_MODELS[name]()
    plan = plan_offline(content, "cortex-m")
    assert plan.planned.head_bytes <= plan.greedy.head_bytes
    assert plan.saved_bytes >= 0
    reread = plan_arena(prescribed(content, "cortex-m"), "cortex-m")
    assert reread.offsets == plan.planned.offsets
    assert reread.total_bytes == plan.planned.total_bytes
    assert find_overlap([b.buffer for b in reread.buffers], reread.offsets) is None


def test_a_plan_in_the_model_is_replaced() -> None:
    content = KNOWN_MODELS["unet"]()
    twice = prescribed(prescribed(content, "cortex-m"), "cortex-m")
    assert list(read_model(twice).metadata) == [OFFLINE_METADATA]
    assert plan_offline(twice, "cortex-m").saved_bytes == 512


def test_the_interpreter_computes_the_same_at_prescribed_offsets() -> None:
    content = KNOWN_MODELS["unet"]()
    outputs = []
    for model in (content, prescribed(content, "cortex-m")):
        interpreter = Interpreter(model_content=model)
        interpreter.allocate_tensors()
        frame = interpreter.get_input_details()[0]
        value = np.random.default_rng(3).integers(-128, 128, frame["shape"]).astype(np.int8)
        interpreter.set_tensor(frame["index"], value)
        interpreter.invoke()
        outputs.append(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))
    np.testing.assert_array_equal(*outputs)


def test_the_copy_on_disk_differs_by_its_metadata_alone(tmp_path: Path) -> None:
    source, copy = tmp_path / "unet.tflite", tmp_path / "smaller.tflite"
    source.write_bytes(KNOWN_MODELS["unet"]())
    plan = write_offline_plan(source, copy)
    before, after = read_model(source), read_model(copy)
    assert after.metadata == {OFFLINE_METADATA: plan.metadata}
    assert copy.read_bytes().endswith(source.read_bytes())
    assert [len(s.tensors) for s in after.subgraphs] == [len(s.tensors) for s in before.subgraphs]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["smaller.tflite", "unet.tflite"]


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    source = tmp_path / "unet.tflite"
    source.write_bytes(KNOWN_MODELS["unet"]())
    with pytest.raises(ModelError, match=r"missing\.tflite"):
        write_offline_plan(tmp_path / "missing.tflite", tmp_path / "copy.tflite")
    with pytest.raises(ModelError, match=r"cannot write the model .*absent.copy\.tflite"):
        write_offline_plan(source, tmp_path / "absent" / "copy.tflite")


class TestInTflm:
    pytestmark = needs_oracle

    @pytest.mark.parametrize("name", ["unet", "called_subgraph_with_scratch", "dtln"])
    def test_tflm_takes_the_plan_and_needs_as_little(self, name: str) -> None:
        content = prescribed(KNOWN_MODELS[name](), "x86_64-wheel")
        plan, told = plan_arena(content), report(content)
        assert (plan.head_bytes, plan.tail_bytes) == (told.head_bytes, told.tail_bytes)
        sizes = [plan.min_bytes, plan.min_bytes - 1]
        assert arenas_that_work([(content, sizes)]) == [[True, False]]

    def test_tflm_computes_the_same_in_the_smaller_arena(self) -> None:
        from tflite_micro import runtime

        content = KNOWN_MODELS["unet"]()
        smaller = prescribed(content, "x86_64-wheel")
        rng = np.random.default_rng(5)
        interpreters = [
            runtime.Interpreter.from_bytes(c, arena_size=plan_arena(c).min_bytes)
            for c in (content, smaller)
        ]
        assert plan_arena(smaller).min_bytes < plan_arena(content).min_bytes
        for _ in range(20):
            value = rng.integers(-128, 128, (1, 1, 64, 2)).astype(np.int8)
            outputs = []
            for interpreter in interpreters:
                interpreter.set_input(value, 0)
                interpreter.invoke()
                outputs.append(np.array(interpreter.get_output(0)))
            np.testing.assert_array_equal(*outputs)

    def test_a_prescribed_variable_moves_to_the_head(self) -> None:
        model = ModelBuilder()
        layers = Layers(model.subgraph())
        x = layers.activation([1, 8])
        y = layers.svdf(x, 4, 3)
        state = next(i for i, t in enumerate(layers.graph.tensors) if t.isVariable)
        offsets = np.full(3 + len(layers.graph.tensors), -1, np.int32)
        offsets[:3] = 1, 0, len(layers.graph.tensors)
        offsets[3 + state] = 256
        model.metadata(OFFLINE_METADATA, offsets.tobytes())
        content = model.build([x], [y])
        plan, told = plan_arena(content), report(content)
        assert (plan.head_bytes, plan.tail_bytes) == (told.head_bytes, told.tail_bytes)
        assert plan.variable_tensors == {}
