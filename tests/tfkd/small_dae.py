"""A smallest member of the DAE family, and real-looking weights for it."""

from __future__ import annotations

import numpy as np
import tf_keras as keras

from tfkd.config import FrontEndConfig, ModelConfig
from tfkd.models.dae import build_dae

SMALL_DAE = ModelConfig(
    name="nano",
    frontend=FrontEndConfig(bands=16),
    channels=(4, 4),
    kernels=(4, 3),
    strides=(2, 2),
    time_kernels=(3, 0),
    expansions=(1, 1),
    latent=8,
    hidden=8,
    dilations=(1, 2),
)


def random_dae(config: ModelConfig = SMALL_DAE, seed: int = 0) -> keras.Model:
    """The training form with seeded weights, and batch norms as if trained."""
    keras.utils.set_random_seed(seed)
    model = build_dae(config)
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights(
                [
                    rng.uniform(0.7, 1.3, gamma.shape),
                    rng.normal(0, 0.2, beta.shape),
                    rng.normal(0, 0.1, mean.shape),
                    rng.uniform(0.2, 0.8, variance.shape),
                ]
            )
    return model


def features(frames: int, batch: int = 1, seed: int = 0, bands: int = 16) -> np.ndarray:
    """Random features [batch, frames, bands, 1] over the whole range."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (batch, frames, bands, 1)).astype(np.float32)
