"""Streaming step -> fully int8 .tflite, by TensorFlow's own converter."""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf
from tensorflow.lite.python.convert import ConverterError

from tfkd.convert.quiet import quiet_converter
from tfkd.errors import ConversionError
from tfkd.streaming import StreamingStep


def convert_streaming(step: StreamingStep) -> bytes:
    """Convert a quantisation-aware streaming step.

    Every range comes from the graph's fake quantisation; the representative data set is there
    because the converter refuses int8-only conversion without one, and does not change the result.

    Args:
        step: made from a quantisation-aware model.

    Raises:
        ConversionError: an operator has no integer kernel; it is named.

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
        try:
            return bytes(converter.convert())
        except ConverterError as error:
            raise ConversionError(
                f"TensorFlow's converter makes no int8 model of the graph: {_reason(error)}. "
                f"Expected layers that TFLite has integer kernels for."
            ) from error


def _formal_samples(step: StreamingStep):
    states = [np.zeros(shape, np.float32) for shape in step.state_shapes]
    for value in (-1.0, 1.0):
        yield [np.full((1, 1, step.bands, 1), value, np.float32), *states]


def _reason(error: ConverterError) -> str:
    """The converter's words about the operator, without the stack that follows them."""
    first = str(error).strip().splitlines()[0]
    return first.rpartition("error: ")[2].rstrip(".")
