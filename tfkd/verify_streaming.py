"""Prove that a run's model computes the same frame by frame as on a whole recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
import tf_keras as keras

from firmware_ref.interpreter import Interpreter
from tfkd.config import ModelConfig
from tfkd.convert.run import streaming_tflite
from tfkd.convert.tflite import convert_offline
from tfkd.engines.firmware_ref import FirmwareRefEngine
from tfkd.engines.streaming_model import Floats, parse_streaming_model
from tfkd.errors import VerificationError
from tfkd.models.folding import fold_batch_norm
from tfkd.models.teacher import load_teacher
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
        """Raise VerificationError unless float agrees to 1e-5 and int8 exactly."""
        if self.float_difference > FLOAT_TOLERANCE:
            raise VerificationError(
                f"the float model streams differently: its masks differ by up to "
                f"{self.float_difference:.2e} from offline. Expected at most {FLOAT_TOLERANCE}."
            )
        if self.quantized_difference > 0.0:
            raise VerificationError(
                f"the int8 model streams differently: its masks differ by up to "
                f"{self.quantized_difference / MASK_STEP:.1f} LSB from offline. Expected equality."
            )


def compare_streaming(run: RunDirectory, seed: int) -> StreamingComparison:
    """Stream speech-like features through a run's float and int8 models.

    int8 is compared in integers, on two conversions of the quantisation-aware model: frame by frame
    and whole. Its fake quantisation in float would not do: sums taken in another order differ in
    their last bit, and where that decides a rounding, later layers carry the step on.

    Args:
        run: a trained student.
        seed: of the features, one training segment long.

    Raises:
        RunError: the run has no quantisation-aware weights.
        ModelError: its weights are damaged.
    """
    quantized = load_quantized(run)
    frames = quantized.input_shape[1]
    config = run.config.model
    folded = fold_batch_norm(load_teacher(run.path).model, config, frames)
    features = speech_like_features(config.frontend, frames, seed)
    return StreamingComparison(
        frames, float_difference(folded, features), int8_difference(quantized, config, features)
    )


def float_difference(model: keras.Model, features: Floats) -> float:
    """Largest difference of a float model's masks, streaming against offline."""
    offline = model(features[np.newaxis, ..., np.newaxis], training=False)[0, ..., 0]
    streaming = streaming_step(model).run(tf.constant(features))
    return float(np.abs(offline.numpy() - streaming.numpy()).max())


def int8_difference(quantized: keras.Model, config: ModelConfig, features: Floats) -> float:
    """Largest difference of the int8 masks, streaming against offline, as masks in [0, 1]."""
    model = parse_streaming_model(streaming_tflite(quantized, config), Path(config.name))
    frames_q = model.frame.quantize(features)  # [frames, bands]
    streamed_q = FirmwareRefEngine(model).run_q(frames_q)
    offline = Interpreter(model_content=convert_offline(quantized))
    offline.allocate_tensors()
    graph = offline.model.subgraphs[0]
    offline.set_tensor(graph.inputs[0], frames_q[np.newaxis, ..., np.newaxis])
    offline.invoke()
    masks_q = offline.get_tensor(graph.outputs[0])[0, ..., 0]  # [frames, bands]
    return MASK_STEP * int(np.abs(streamed_q.astype(int) - masks_q).max())
