"""Every preset keeps within its budget."""

import numpy as np
import pytest
from small_dae import SMALL_DAE

from tfkd.config_file import load_config
from tfkd.models.blocks import Form
from tfkd.models.budget import budget
from tfkd.models.dae import build_dae


@pytest.mark.parametrize(
    ("name", "parameters", "macs_per_second"),
    [("micro", 30_000, 3e6), ("tiny", 85_000, 10e6), ("small", 180_000, 35e6)],
)
def test_students_keep_their_budget(name, parameters, macs_per_second):
    cost = budget(load_config(name).model)
    print(name, cost.parameters, cost.macs_per_second, cost.receptive_field_frames)
    assert cost.parameters <= parameters
    assert cost.macs_per_second <= macs_per_second
    assert cost.latency_ms == 32.0
    assert cost.hop_ms == 16.0


def test_teacher_is_ten_times_tiny():
    assert budget(load_config("teacher").model).parameters >= (
        10 * budget(load_config("tiny").model).parameters
    )


def test_macs_of_a_model_counted_by_hand():
    # encode0 4x(4x1)->8 positions: 8*4*4; bottleneck depthwise 3, project 1x1, 8 positions of 4
    # channels; encode1 4 positions, 4 channels, 1x3x4; collapse 4*4 -> 8; two bottlenecks without
    # expansion: depthwise 5*8 + project 64; spread 8 -> 4*24; match 24 -> 4 at 4 positions;
    # decoders: expand x2, depthwise 3x3, project; narrow; logits 1x3 4 -> 2 at 8 positions.
    encoder = 8 * 4 * 4 + (8 * 4 * 3 + 8 * 16) + 4 * 4 * 12
    body = 16 * 8 + 2 * (5 * 8 + 64) + 8 * 96
    decode1 = 4 * 24 * 4 + 4 * (4 * 8 + 8 * 9 + 8 * 4) + 4 * 16
    decode0 = 8 * (4 * 8 + 8 * 9 + 8 * 4) + 8 * 2 * 12
    assert budget(SMALL_DAE).macs_per_frame == encoder + body + decode1 + decode0


def test_receptive_field_is_where_the_mask_stops_depending():
    """Random weights: the frame at the edge of the receptive field matters, the one before not."""
    frames = budget(SMALL_DAE).receptive_field_frames
    model = build_dae(SMALL_DAE, Form.DEPLOYED, frames=frames + 1)
    rng = np.random.default_rng(0)
    # Positive and not too large: no ReLU6 hides a dependence. Biases 0.
    model.set_weights([rng.uniform(0.1, 0.3, w.shape) * (w.ndim > 1) for w in model.get_weights()])
    x = np.zeros((1, frames + 1, SMALL_DAE.frontend.bands, 1), np.float32)
    last = model(x).numpy()[0, -1]
    for index, matters in ((0, False), (1, True)):
        changed = x.copy()
        changed[0, index] = 1.0
        assert (np.abs(model(changed).numpy()[0, -1] - last).max() > 0) == matters
