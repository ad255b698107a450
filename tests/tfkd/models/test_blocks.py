"""The training form's depthwise convolution against the native operator."""

import numpy as np
import pytest
import tf_keras as keras

from tfkd.models.blocks import CausalDepthwiseConv2D


@pytest.mark.parametrize(
    ("kernel", "dilation", "bands", "frames"),
    [
        ((3, 1), 1, 5, 9),
        ((3, 3), 1, 4, 9),
        ((5, 1), 4, 1, 23),
        ((3, 1), 2, 3, 8),
        ((5, 1), 8, 1, 7),
    ],
)
def test_equals_padded_native_convolution(kernel, dilation, bands, frames):
    x = np.random.default_rng(0).standard_normal((2, frames, bands, 3)).astype(np.float32)
    layer = CausalDepthwiseConv2D(kernel, dilation_rate=(dilation, 1), use_bias=False)
    got = layer(x).numpy()
    past, side = (kernel[0] - 1) * dilation, kernel[1] // 2
    padded = np.pad(x, [(0, 0), (past, 0), (side, side), (0, 0)])
    native = keras.layers.DepthwiseConv2D(kernel, dilation_rate=(dilation, 1), use_bias=False)
    native.build(padded.shape)
    native.set_weights(layer.get_weights())
    assert got.shape == x.shape
    np.testing.assert_allclose(got, native(padded).numpy(), atol=1e-5)


def test_sees_no_future():
    layer = CausalDepthwiseConv2D((3, 3), use_bias=False)
    x = np.zeros((1, 6, 4, 2), np.float32)
    x[0, 3] = 1.0
    response = layer(x).numpy()[0]
    assert not response[:3].any()
    assert response[3:].any()
