"""Streaming equals offline: float to rounding, fake-quantised exactly, int8 exactly."""

import numpy as np
from small_dae import FRAMES, features, quantized_dae

from tfkd.quantize import assign_weight_ranges, weight_of
from tfkd.streaming import streaming_step


def test_float_streaming_equals_offline(deployed):
    x = features(FRAMES)
    offline = deployed(x).numpy()[0, ..., 0]
    # 1e-5: sums of a frame and of a sequence may be taken in another order.
    streamed = streaming_step(deployed).run(x[0, ..., 0]).numpy()
    np.testing.assert_allclose(streamed, offline, atol=1e-5)


def test_fake_quantised_streaming_equals_offline_exactly(quantized):
    x = features(FRAMES, seed=1)
    offline = quantized(x, training=False).numpy()[0, ..., 0]
    # The sigmoid's output is quantised by the converter only, hence float here.
    np.testing.assert_allclose(
        streaming_step(quantized).run(x[0, ..., 0]).numpy(), offline, atol=1e-6
    )


def test_weights_that_training_moved_stream_exactly_too(deployed):
    model = quantized_dae(deployed)
    for layer in model.layers[1:]:
        if layer.quantize_config.weight is not None:
            weight = weight_of(layer)
            weight.assign(weight * 1.03)  # as the last step does: after the ranges
    assign_weight_ranges(model)
    x = features(FRAMES, seed=1)
    offline = model(x, training=False).numpy()[0, ..., 0]
    np.testing.assert_allclose(streaming_step(model).run(x[0, ..., 0]).numpy(), offline, atol=1e-6)


def test_states_are_the_causal_paddings(deployed):
    # encoder bottleneck, two latent bottlenecks (dilation 1, 2), two decoder bottlenecks
    assert streaming_step(deployed).state_shapes == (
        (1, 2, 8, 4),
        (1, 4, 1, 8),
        (1, 8, 1, 8),
        (1, 2, 4, 8),
        (1, 2, 8, 8),
    )
