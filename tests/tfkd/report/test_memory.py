import pytest

from firmware_ref import TARGETS, find_target, plan_arena
from tfkd.report.memory import read_memory


def test_boxes_are_the_plan(gate):
    memory = read_memory(gate, find_target("nano33ble"))
    plan = plan_arena(gate, "cortex-m")
    assert len(memory.boxes) == len(plan.buffers)
    assert {box.role for box in memory.boxes} == {"state", "activation"}
    highest = min(box.top for box in memory.boxes)
    assert highest == pytest.approx(0.0, abs=1e-3)
    assert all(box.left >= 0 and box.left + box.width <= 100.001 for box in memory.boxes)
    areas = sum(box.width * box.height for box in memory.boxes)
    spans = [(p.buffer.last_used - p.buffer.first_used + 1, p.buffer) for p in plan.buffers]
    expected = sum(span * buffer.size_bytes for span, buffer in spans)
    assert areas == pytest.approx(1e4 * expected / (len(plan.steps) * plan.head_bytes), rel=1e-3)


def test_shares_are_the_whole_arena(gate):
    memory = read_memory(gate, None)
    assert sum(share.size_bytes for share in memory.shares) == memory.report.plan.total_bytes
    assert sum(share.percent for share in memory.shares) == pytest.approx(100.0, abs=0.1)
    assert memory.chosen is None


def test_every_chip_is_listed_and_the_chosen_one_shown(gate):
    memory = read_memory(gate, find_target("nano33ble"))
    assert [row.fit.target.name for row in memory.chips] == list(TARGETS)
    assert memory.chosen.fit == next(
        row.fit for row in memory.chips if row.fit.target.name == "nano33ble"
    )
    assert list(memory.chosen.cycles) == ["reference kernels", "CMSIS-NN", "exported C"]
    assert memory.kernels == tuple(memory.chosen.cycles)
    assert memory.report.fit.budgets == memory.chosen.fit.budgets
