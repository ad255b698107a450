"""Plans of whole models: chips' measured arenas, hand-worked ones, errors."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from known_models import KNOWN_MODELS, Layers
from model_builder import RESOURCE, ModelBuilder
from planner_requests import find_overlap

from firmware_ref.arena import plan_arena
from firmware_ref.arena.buffers import align_up
from firmware_ref.errors import ModelError, TargetError, UnsupportedOpError

# (arena_used_bytes with reference kernels, with CMSIS-NN) of the real TFLM on an emulated
# Cortex-M4, for TFLM's own example models.
MEASURED_ON_CORTEX_M4 = {
    "hello_world": (676, 772),
    "micro_speech": (6788, 6836),
    "mnist_lstm": (3220, 4052),
    "dtln": (4644, 14356),
}


@pytest.mark.parametrize("name", sorted(MEASURED_ON_CORTEX_M4))
def test_cortex_m_arena_is_what_tflm_used_on_the_chip(name: str) -> None:
    content = KNOWN_MODELS[name]()
    reference = plan_arena(content, abi="cortex-m").total_bytes
    optimised = plan_arena(content, abi="cortex-m", cmsis_nn=True).total_bytes
    assert (reference, optimised) == MEASURED_ON_CORTEX_M4[name]


@pytest.mark.parametrize(("name", "needed_bytes"), [("hello_world", 1072), ("dtln", 5136)])
def test_small_models_need_more_to_set_up_than_to_run(name: str, needed_bytes: int) -> None:
    # What the emulated Cortex-M4 needs, in arenas whose size is a multiple of 16.
    plan = plan_arena(KNOWN_MODELS[name](), abi="cortex-m")
    assert plan.total_bytes < plan.min_bytes
    assert align_up(plan.min_bytes) == needed_bytes


def one_relu() -> bytes:
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x, y = layers.activation([1, 100]), layers.activation([1, 100])
    layers.graph.operator("RELU", [x], [y])
    return model.build([x], [y])


def two_variables(containers: tuple[str, str]) -> bytes:
    """Two handles of one shared name, in these containers."""
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x = layers.activation([1, 8])
    for container in containers:
        handle = layers.graph.tensor([], RESOURCE)
        names = {"container": container, "sharedName": "state"}
        layers.graph.operator("VAR_HANDLE", [], [handle], options="VarHandleOptions", **names)
        layers.graph.operator("ASSIGN_VARIABLE", [handle, x], [])
    return model.build([x], [x])


def test_variables_are_told_apart_by_container_and_name() -> None:
    one, two = (
        plan_arena(two_variables(c), "cortex-m").categories["resource variables"].requested_bytes
        for c in (("a", "a"), ("a", "b"))
    )
    assert two - one == 20 + 8  # one more MicroResourceVariable, and its content


def test_one_operator_by_hand() -> None:
    plan = plan_arena(one_relu(), abi="cortex-m")
    assert plan.head_bytes == 112 + 112  # 100 bytes, rounded up, twice: both live at step 1
    # 36 + 44 + 36 + 8 allocator, 8 subgraph, 2 * 12 eval tensors, 32 node = 188; RELU's 28
    # bytes end at 216, aligned to 224; pointer to the input: 228 -> 240, then 32 + 12 + 8 = 292;
    # pointer to the output: 296 -> 304, then 32 + 12 + 8 = 356.
    assert plan.tail_bytes == 356
    assert plan.total_bytes == 580
    assert sum(usage.used_bytes for usage in plan.categories.values()) == plan.tail_bytes
    assert plan.tensor_offsets == {(0, 0): 112, (0, 1): 0}
    assert [(b.buffer.first_used, b.buffer.last_used) for b in plan.buffers] == [(0, 1), (1, 1)]
    assert plan.steps == ("(inputs)", "RELU")


@pytest.mark.parametrize("name", sorted(KNOWN_MODELS))
@pytest.mark.parametrize("abi", ["x86_64-wheel", "cortex-m"])
def test_plans_are_sound(name: str, abi: str) -> None:
    plan = plan_arena(KNOWN_MODELS[name](), abi=abi)
    assert find_overlap([planned.buffer for planned in plan.buffers], plan.offsets) is None
    assert all(offset % 16 == 0 for offset in plan.offsets)
    assert plan.live_bytes <= plan.head_bytes
    assert plan.total_bytes == plan.head_bytes + plan.tail_bytes
    assert plan.min_bytes >= plan.head_bytes


def test_vector_kernels_ask_for_other_scratch_than_dsp_kernels() -> None:
    # unet's first convolution: 3x3 on 1x64x2. DSP: 4 * roundup4(18); MVE: 64 * ceil(18 / 16).
    content = KNOWN_MODELS["unet"]()
    scratch = [
        [b.content_bytes for b in plan.buffers if b.name == "CONV_2D"][0]
        for plan in (
            plan_arena(content, "cortex-m", cmsis_nn=True),
            plan_arena(content, "cortex-m", cmsis_nn=True, mve=True),
        )
    ]
    assert scratch == [4 * 20, 64 * 2]


def test_unknown_operators_and_names_are_named() -> None:
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = graph.tensor([1, 4], np.float32), graph.tensor([1, 4], np.float32)
    graph.operator("SIN", [x], [y])
    with pytest.raises(UnsupportedOpError, match=r"operator 0 \(SIN\) is not supported.*CONV_2D"):
        plan_arena(model.build([x], [y]))
    with pytest.raises(TargetError, match="unknown ABI 'cortexm'.*Did you mean 'cortex-m'"):
        plan_arena(one_relu(), abi="cortexm")
    with pytest.raises(TargetError, match="CMSIS-NN kernels exist for the ABI 'cortex-m' only"):
        plan_arena(one_relu(), abi="x86_64-wheel", cmsis_nn=True)


def test_a_subgraph_that_calls_itself_is_refused() -> None:
    model = ModelBuilder()
    main, init = model.subgraph(), Layers(model.subgraph())
    for graph in (main, init.graph):
        graph.operator("CALL_ONCE", [], [], options="CallOnceOptions", initSubgraphIndex=1)
    x = Layers(main).activation([1, 4])
    with pytest.raises(ModelError, match="subgraph 1 calls itself"):
        plan_arena(model.build([x], [x]))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "has 0 bytes"),
        (struct.pack("<5i", 1, 0, 3, 0, -1), "promises 3 offsets and holds 2"),
        (struct.pack("<5i", 1, 0, 2, 0, -2), "holds an offset below -1"),
    ],
)
def test_damaged_offline_plans_are_refused(content: bytes, message: str) -> None:
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x, y = layers.activation([1, 100]), layers.activation([1, 100])
    layers.graph.operator("RELU", [x], [y])
    model.metadata("OfflineMemoryAllocation", content)
    with pytest.raises(ModelError, match=message):
        plan_arena(model.build([x], [y]))


@pytest.mark.parametrize("name", ["unet", "called_subgraph_with_scratch", "dtln"])
def test_damaged_models_are_planned_or_refused(name: str) -> None:
    content = KNOWN_MODELS[name]()
    rng = np.random.default_rng(11)
    refused = 0
    for _ in range(100):
        mutant = bytearray(content)
        for position in rng.integers(0, len(mutant), 3):
            mutant[position] = rng.integers(256)
        try:
            plan = plan_arena(bytes(mutant), "cortex-m", cmsis_nn=True, mve=True)
            assert plan.live_bytes <= plan.head_bytes
        except ModelError as error:
            assert str(error)
            refused += 1
    assert 0 < refused < 100
