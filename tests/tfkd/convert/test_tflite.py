"""Conversion is silent, and what the converter refuses is named."""

from types import SimpleNamespace

import pytest
import tensorflow as tf

from tfkd.convert.tflite import convert_offline, convert_streaming
from tfkd.errors import ConversionError


def test_an_operator_that_tflite_lacks_is_named():
    @tf.function(input_signature=[tf.TensorSpec((1, 1, 4, 1))])
    def step(frame):
        return tf.math.erfinv(0.5 * frame)

    streaming = SimpleNamespace(function=step, state_shapes=(), bands=4)
    with pytest.raises(
        ConversionError, match=r"no int8 model of the graph: 'tf\.Erfinv' op is neither"
    ):
        convert_streaming(streaming)


def test_conversion_is_silent(quantized, capfd, caplog):
    assert convert_offline(quantized)[4:8] == b"TFL3"
    captured = capfd.readouterr()
    assert (captured.out, captured.err, caplog.records) == ("", "", [])
