"""Prove that a run's model computes the same frame by frame as on a whole recording."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import tensorflow as tf
import tf_keras as keras

from tfkd.config import FrontEndConfig
from tfkd.errors import VerificationError
from tfkd.models.blocks import Form
from tfkd.models.dae import build_dae
from tfkd.models.folding import fold_batch_norm
from tfkd.streaming import streaming_step
from tfkd.train.run_directory import RunDirectory
from tfkd.train.session import load_quantized
from tfkd.verify import speech_like_features

FLOAT_TOLERANCE = 1e-5
MASK_STEP = 1.0 / 256.0  # one LSB of the int8 mask


@dataclass(frozen=True)
class StreamingComparison:
    """Largest difference of masks in [0, 1], streaming against offline."""

    frames: int
    float_difference: float
    quantized_difference: float

    def check(self) -> None:
        """Raise VerificationError unless float agrees to 1e-5 and fake quantisation exactly."""
        if self.float_difference > FLOAT_TOLERANCE:
            raise VerificationError(
                f"the float model streams differently: its masks differ by up to "
                f"{self.float_difference:.2e} from offline. Expected at most {FLOAT_TOLERANCE}."
            )
        if self.quantized_difference > 0.0:
            raise VerificationError(
                f"the quantised model streams differently: its masks differ by up to "
                f"{self.quantized_difference / MASK_STEP:.1f} LSB from offline. Expected equality."
            )


def compare_streaming(run: RunDirectory, seed: int) -> StreamingComparison:
    """Stream speech-like features through a run's float and quantisation-aware models.

    Args:
        run: a trained student.
        seed: of the features, one training segment long.

    Raises:
        RunError: the run has no quantisation-aware weights.
    """
    quantized = load_quantized(run)
    frames = quantized.input_shape[1]
    config = run.config.model
    student = build_dae(config, Form.TRAINING)
    student.load_weights(run.float_weights)
    folded = fold_batch_norm(student, config, frames)
    return StreamingComparison(
        frames,
        _largest_difference(folded, config.frontend, frames, seed),
        _largest_difference(quantized, config.frontend, frames, seed),
    )


def _largest_difference(
    model: keras.Model, frontend: FrontEndConfig, frames: int, seed: int
) -> float:
    features = tf.constant(speech_like_features(frontend, frames, seed))
    offline = model(features[tf.newaxis, ..., tf.newaxis], training=False)[0, ..., 0]
    streaming = streaming_step(model).run(features)
    return float(np.abs(offline.numpy() - streaming.numpy()).max())
