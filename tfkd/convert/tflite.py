"""Quantisation-aware graph -> fully int8 .tflite, by TensorFlow's own converter."""

from __future__ import annotations

import warnings

import numpy as np
import tensorflow as tf
import tf_keras as keras
from tensorflow.lite.python.convert import ConverterError

from tfkd.convert.quiet import quiet_converter
from tfkd.errors import ConversionError
from tfkd.streaming import StreamingStep


def convert_streaming(step: StreamingStep) -> bytes:
    """Convert a quantisation-aware streaming step.

    Args:
        step: made from a quantisation-aware model.

    Raises:
        ConversionError: an operator has no integer kernel; it is named.

    Returns:
        A .tflite flatbuffer: inputs frame, states; outputs mask, new states; all int8.
    """
    states = [np.zeros(shape, np.float32) for shape in step.state_shapes]
    return _convert(step.function, (1, 1, step.bands, 1), states)


def convert_offline(model: keras.Model) -> bytes:
    """Convert a quantisation-aware model as it is, for its fixed number of frames at once.

    Raises:
        ConversionError: an operator has no integer kernel; it is named.

    Returns:
        A .tflite flatbuffer: features in, mask out, int8 [1, frames, bands, 1].
    """
    shape = (1, *model.input_shape[1:])
    function = tf.function(
        lambda features: model(features, training=False),
        input_signature=[tf.TensorSpec(shape, tf.float32)],
    )
    return _convert(function, shape, [])


def _convert(
    function: tf.types.experimental.PolymorphicFunction,
    shape: tuple[int, ...],
    states: list[np.ndarray],
) -> bytes:
    """Every range comes from the graph's fake quantisation; the representative data set is there
    because the converter refuses int8-only conversion without one, and does not change the result.
    """
    with warnings.catch_warnings(), quiet_converter():
        # The fake quantisation in the graph holds the statistics that TensorFlow misses here.
        warnings.filterwarnings("ignore", "Statistics for quantized inputs")
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()]
        )
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: (
            [np.full(shape, value, np.float32), *states] for value in (-1.0, 1.0)
        )
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.int8
        converter.inference_output_type = tf.int8
        try:
            return bytes(converter.convert())
        except ConverterError as error:
            raise ConversionError(
                f"TensorFlow's converter makes no int8 model of the graph: {_reason(error)}. "
                f"Expected layers that TFLite has integer kernels for."
            ) from error


def _reason(error: ConverterError) -> str:
    """The converter's words about the operator, without the stack that follows them."""
    first = str(error).strip().splitlines()[0]
    return first.rpartition("error: ")[2].rstrip(".")
