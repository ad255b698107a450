"""A smallest member of the DAE family, and real-looking weights for it."""

from __future__ import annotations

import numpy as np
import tensorflow as tf
import tf_keras as keras
from small_model import SMALL_DAE as SMALL_DAE

from tfkd.config import ModelConfig
from tfkd.models.dae import build_dae
from tfkd.models.folding import fold_batch_norm
from tfkd.quantize import calibrate, quantization_aware

FRAMES = 40  # of the fixtures `deployed` and `quantized`
# As few layers as there can be, for tests that build many: most of their time goes into graphs.
ONE_LAYER_DAE = SMALL_DAE.model_copy(
    update={
        **{"channels": (4,), "kernels": (4,), "strides": (4,)},
        **{"time_kernels": (0,), "expansions": (1,), "dilations": (1,)},
    }
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


def deployed_dae(frames: int) -> keras.Model:
    """The deployed form of `random_dae`."""
    return fold_batch_norm(random_dae(), SMALL_DAE, frames)


def quantized_dae(deployed: keras.Model) -> keras.Model:
    """Its quantisation-aware form, calibrated."""
    frames = deployed.input_shape[1]
    return quantization_aware(deployed, calibrate(deployed, [tf.constant(features(frames, 4))]))
