"""Converted, every student keeps its file and arena budget, trained or not."""

import pytest
import tensorflow as tf
from small_dae import features, random_dae

from firmware_ref import plan_arena
from tfkd.config_file import load_config
from tfkd.convert.slim import slim_tflite
from tfkd.convert.tflite import convert_streaming
from tfkd.models.folding import fold_batch_norm
from tfkd.quantize import calibrate, quantization_aware
from tfkd.streaming import streaming_step

FRAMES = 16
METADATA = {"tfkd": bytes(250)}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "file_bytes", "arena_bytes"),
    [("micro", 40_000, 24 * 1024), ("tiny", 100_000, 48 * 1024), ("small", 200_000, 96 * 1024)],
)
def test_students_keep_their_budget(name, file_bytes, arena_bytes):
    config = load_config(name).model
    deployed = fold_batch_norm(random_dae(config), config, FRAMES)
    ranges = calibrate(deployed, [tf.constant(features(FRAMES, bands=config.frontend.bands))])
    step = streaming_step(quantization_aware(deployed, ranges))
    content = slim_tflite(convert_streaming(step), METADATA)
    arena = plan_arena(content, abi="cortex-m").min_bytes
    print(name, len(content), arena)
    assert len(content) <= file_bytes
    assert arena <= arena_bytes
