"""Fold batch normalisation into the convolutions: training form -> deployed form, same function."""

from __future__ import annotations

import numpy as np
import tf_keras as keras

from tfkd.config import ModelConfig
from tfkd.models.blocks import Form, convolution_layers
from tfkd.models.dae import build_dae


def fold_batch_norm(trained: keras.Model, config: ModelConfig, frames: int) -> keras.Model:
    """The deployed form of a trained model.

    Formula, per output channel: s = gamma / sqrt(variance + eps); w' = w s; b' = beta - mean s.

    Args:
        trained: training form; its layers keep their names.
        config: what it was built from.
        frames: fixed number of frames of the deployed model.

    Returns:
        A model without batch normalisation that computes the same mask (to float rounding).
    """
    deployed = build_dae(config, Form.DEPLOYED, frames=frames)
    norms = {layer.name for layer in trained.layers}
    for layer in convolution_layers(deployed):
        source = trained.get_layer(layer.name)
        if f"{layer.name}_norm" not in norms:
            layer.set_weights(source.get_weights())
            continue
        norm = trained.get_layer(f"{layer.name}_norm")
        gamma, beta, mean, variance = norm.get_weights()
        scale = gamma / np.sqrt(variance + norm.epsilon)
        kernel = source.get_weights()[0]
        if isinstance(layer, keras.layers.DepthwiseConv2D):
            kernel = kernel * scale[:, np.newaxis]  # [k_t, k_f, channels, 1]
        else:
            kernel = kernel * scale  # [1, k, in, out]
        layer.set_weights([kernel, beta - mean * scale])
    return deployed
