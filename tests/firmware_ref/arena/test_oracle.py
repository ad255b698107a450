"""The plan for the wheel's ABI against the wheel's own report: byte for byte, per operator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from known_models import KNOWN_MODELS
from one_op_models import ONE_OP_MODELS
from oracle import needs_oracle
from random_graphs import random_graph
from tflm_arena import arenas_that_work, bisected_minimum, report

from firmware_ref.arena import plan_arena

pytestmark = needs_oracle

MODELS_PER_OPERATOR = 6
RANDOM_GRAPHS = 25
CONVERTED_MODELS = sorted((Path(__file__).parent.parent / "models").glob("*.tflite"))
"""Converted from Keras by TensorFlow, so with all that a converter adds."""

# TFLM's report -> categories of the plan. The rest of the tail TFLM does not list.
REPORTED_CATEGORIES = {
    "TfLiteEvalTensor data": ["eval tensors"],
    "Persistent TfLiteTensor data": ["input and output tensors"],
    "Persistent TfLiteTensor quantization data": ["input and output quantisation"],
    "Persistent buffer data": ["kernel buffers", "resource variables", "input and output pointers"],
    "NodeAndRegistration struct": ["nodes and registrations"],
    "TfLiteTensor variable buffer data": ["variable tensors"],
}


def one_op_contents(name: str, count: int) -> list[bytes]:
    return [ONE_OP_MODELS[name](np.random.default_rng(seed)).content for seed in range(count)]


def assert_planned_as_reported(content: bytes) -> None:
    told, plan = report(content), plan_arena(content, abi="x86_64-wheel")
    assert (plan.head_bytes, plan.tail_bytes) == (told.head_bytes, told.tail_bytes)
    assert plan.total_bytes == told.total_bytes
    for category, used_bytes in told.used_bytes.items():
        ours = [plan.categories[c] for c in REPORTED_CATEGORIES[category] if c in plan.categories]
        assert sum(usage.used_bytes for usage in ours) == used_bytes, category


@pytest.mark.parametrize("name", sorted(ONE_OP_MODELS))
def test_one_operator_is_planned_as_tflm_reports(name: str) -> None:
    for content in one_op_contents(name, MODELS_PER_OPERATOR):
        assert_planned_as_reported(content)


@pytest.mark.parametrize("name", sorted(KNOWN_MODELS))
def test_a_whole_model_is_planned_as_tflm_reports(name: str) -> None:
    assert_planned_as_reported(KNOWN_MODELS[name]())


def test_converted_models_are_planned_as_tflm_reports() -> None:
    assert CONVERTED_MODELS
    for path in CONVERTED_MODELS:
        assert_planned_as_reported(path.read_bytes())


def test_random_graphs_are_planned_as_tflm_reports() -> None:
    for seed in range(RANDOM_GRAPHS):
        assert_planned_as_reported(random_graph(seed))


def test_the_smallest_arena_works_and_one_byte_less_does_not() -> None:
    contents = {name: one_op_contents(name, 2)[1] for name in ONE_OP_MODELS}
    contents |= {name: build() for name, build in KNOWN_MODELS.items()}
    contents |= {path.name: path.read_bytes() for path in CONVERTED_MODELS}
    contents |= {f"random graph {seed}": random_graph(seed) for seed in range(RANDOM_GRAPHS)}
    minima = {name: plan_arena(content).min_bytes for name, content in contents.items()}
    tries = [(contents[name], [minima[name], minima[name] - 1]) for name in contents]
    answers = dict(zip(contents, arenas_that_work(tries), strict=True))
    assert answers == {name: [True, False] for name in contents}


def test_the_smallest_arena_is_what_halving_finds() -> None:
    content = KNOWN_MODELS["keyword"]()
    plan = plan_arena(content)
    assert bisected_minimum(content, 4 * plan.min_bytes) == plan.min_bytes
