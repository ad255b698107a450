"""Streaming step -> fully int8 .tflite, by TensorFlow's own converter."""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf

from tfkd.convert.quiet import quiet_converter
from tfkd.streaming import StreamingStep


def convert_streaming(step: StreamingStep) -> bytes:
    """Convert a quantisation-aware streaming step.

    Every range comes from the graph's fake quantisation; the representative data set is there
    because the converter refuses int8-only conversion without one, and does not change the result.

    Args:
        step: made from a quantisation-aware model.

    Returns:
        A .tflite flatbuffer: inputs frame, states; outputs mask, new states; all int8.
    """
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [step.function.get_concrete_function()]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: _formal_samples(step)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = tf.int8
    converter.inference_output_type = tf.int8
    with warnings.catch_warnings(), quiet_converter():
        # The fake quantisation in the graph holds the statistics that TensorFlow misses here.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        return bytes(converter.convert())


def _formal_samples(step: StreamingStep):
    states = [np.zeros(shape, np.float32) for shape in step.state_shapes]
    for value in (-1.0, 1.0):
        yield [np.full((1, 1, step.bands, 1), value, np.float32), *states]
