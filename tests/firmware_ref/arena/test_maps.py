"""The arena drawn as text and as a picture."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from known_models import KNOWN_MODELS, Layers
from model_builder import ModelBuilder

from firmware_ref.arena import plan_arena
from firmware_ref.arena.ascii_map import draw_arena
from firmware_ref.arena.plot import save_arena_plot
from firmware_ref.errors import FirmwareRefError


def two_relus() -> bytes:
    model = ModelBuilder()
    layers = Layers(model.subgraph())
    x, y, z = layers.activation([1, 32]), layers.activation([1, 16]), layers.activation([1, 16])
    layers.graph.operator("LOGISTIC", [x], [y])
    layers.graph.operator("RELU", [y], [z])
    return model.build([x], [z])


def test_the_whole_map() -> None:
    # t0 (32 B, steps 0-1) at 0; t2 (16 B, step 2) at 0; t1 (16 B, steps 1-2) above t0.
    assert draw_arena(plan_arena(two_relus()), width=12) == (
        "   0         48 B\n"
        "0: 00000000....      32 B  (inputs)\n"
        "1: 000000001111      48 B  LOGISTIC\n"
        "2: 2222....1111      32 B  RELU\n"
        "\n"
        "0  at       0       32 B  steps 0-1  t0\n"
        "1  at      32       16 B  steps 1-2  t1\n"
        "2  at       0       16 B  steps 2-2  t2"
    )


@pytest.mark.parametrize("name", sorted(KNOWN_MODELS))
def test_sound_plans_show_no_overlap_at_full_width(name: str) -> None:
    plan = plan_arena(KNOWN_MODELS[name](), "cortex-m")
    drawn = draw_arena(plan, width=max(1, plan.head_bytes // 16))
    assert "!" not in drawn
    assert len(drawn.splitlines()) == 1 + len(plan.steps) + 1 + len(plan.buffers)


def test_narrow_maps_say_that_buffers_share_a_column() -> None:
    drawn = draw_arena(plan_arena(KNOWN_MODELS["micro_speech"](), "cortex-m"), width=8)
    assert "narrower than a column (746 B)" in drawn


def test_scratch_and_unused_buffers_are_named() -> None:
    drawn = draw_arena(plan_arena(KNOWN_MODELS["called_subgraph_with_scratch"](), "cortex-m"))
    assert "scratch of MEAN" in drawn
    assert "  unused  t2" in draw_arena(plan_arena(KNOWN_MODELS["unused_tensors"]()))


def test_a_model_without_activations_has_an_empty_map() -> None:
    model = ModelBuilder()
    model.subgraph()
    assert "empty" in draw_arena(plan_arena(model.build([], [])))


def test_a_picture_is_written_whole(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    path = tmp_path / "arena.png"
    save_arena_plot(plan_arena(KNOWN_MODELS["unet"]()), path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert list(tmp_path.iterdir()) == [path]


def test_pictures_that_cannot_be_made_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    plan = plan_arena(two_relus())
    with pytest.raises(FirmwareRefError, match="cannot write .*absent"):
        save_arena_plot(plan, tmp_path / "absent" / "arena.png")
    with pytest.raises(FirmwareRefError, match="Format 'xyz' is not supported"):
        save_arena_plot(plan, tmp_path / "arena.xyz")
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(FirmwareRefError, match="needs matplotlib"):
        save_arena_plot(plan, tmp_path / "arena.png")
