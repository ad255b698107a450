"""Weights of a deployed model back into the training form: the inverse of folding."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfkd.errors import ModelError
from tfkd.models.blocks import convolution_layers


def unfold_batch_norm(
    deployed: keras.Model, trained: keras.Model, batches: Iterable[tf.Tensor]
) -> None:
    """Give a training form the weights of a deployed one; it computes the same mask afterwards.

    The statistics that folding has dissolved are measured anew: mean m and variance v of every
    convolution over the batches. A kernel is also brought to the size that it would have been
    initialised with, k w, since batch norm hides its size, but not from the optimiser.

    Formula, per output channel: k = sqrt(2 / (fan_in + fan_out)) / rms(w), w' = k w, mean = k m,
    variance = k^2 v, gamma = sqrt(k^2 v + eps) / k, beta = b + m.

    Args:
        deployed: a model in `Form.DEPLOYED`.
        trained: the training form of the same configuration; gets the weights.
        batches: features [batch, frames, bands, 1], of as many frames as `deployed` has.

    Raises:
        ModelError: no batch came.
    """
    layers = convolution_layers(deployed)
    moments = _moments(deployed, layers, batches)
    norms = {layer.name for layer in trained.layers}
    for layer, (mean, variance) in zip(layers, moments, strict=True):
        kernel, bias = layer.get_weights()
        if f"{layer.name}_norm" not in norms:
            trained.get_layer(layer.name).set_weights([kernel, bias])
            continue
        norm = trained.get_layer(f"{layer.name}_norm")
        mean = mean - bias  # of the convolution alone, which has no bias in the training form
        factor, per_channel = _usual_size(kernel, isinstance(layer, keras.layers.DepthwiseConv2D))
        trained.get_layer(layer.name).set_weights([kernel * per_channel])
        gamma = np.sqrt(factor**2 * variance + norm.epsilon) / factor
        norm.set_weights([gamma, bias + mean, factor * mean, factor**2 * variance])


def _usual_size(kernel: np.ndarray, depthwise: bool) -> tuple[np.ndarray, np.ndarray]:
    """k [channels], and the same in a shape that multiplies the kernel."""
    axis = 2 if depthwise else 3
    rms = np.sqrt(np.mean(np.square(kernel), axis=tuple(a for a in range(4) if a != axis)))
    taps = kernel.shape[0] * kernel.shape[1]
    usual = np.sqrt(2 / (taps * (kernel.shape[2] + kernel.shape[3])))  # Glorot and Bengio, 2010
    factor = usual / np.maximum(rms, 1e-3 * usual)  # a channel of zeros stays one
    return factor, factor[:, np.newaxis] if depthwise else factor


def _moments(
    deployed: keras.Model, layers: list[keras.layers.Layer], batches: Iterable[tf.Tensor]
) -> list[tuple[np.ndarray, np.ndarray]]:
    """Mean and variance of each layer's output channels, [channels] each."""
    probe = keras.Model(deployed.inputs, [layer.output for layer in layers])

    @tf.function
    def of_batch(features: tf.Tensor) -> list[tuple[tf.Tensor, tf.Tensor]]:
        return [tf.nn.moments(value, [0, 1, 2]) for value in probe(features, training=False)]

    measured = [of_batch(features) for features in batches]
    if not measured:
        raise ModelError(
            "statistics of batch norms need at least one batch of features; none came."
        )
    results = []
    for of_layer in zip(*measured, strict=True):
        means = np.array([mean.numpy() for mean, _ in of_layer], np.float64)
        squares = np.array([variance.numpy() for _, variance in of_layer]) + means**2
        mean = means.mean(axis=0)
        results.append((mean, np.maximum(squares.mean(axis=0) - mean**2, 0.0)))
    return results
