"""The float model of a run, in Keras: what int8 is measured against."""

from __future__ import annotations

import numpy as np

from tfkd.config import FrontEndConfig
from tfkd.engines.engine import Floats
from tfkd.models.budget import receptive_field_frames
from tfkd.models.teacher import Teacher


class KerasEngine:
    """Runs the offline model on new frames preceded by all past ones that they depend on.

    That gives the same masks as one pass over the whole recording: the model is causal, and as long
    as fewer frames have passed than the receptive field holds, its own zero padding stands for the
    frames before the first.
    """

    def __init__(self, student: Teacher) -> None:
        self._model = student.model
        self._frontend = student.config.frontend
        self._history = receptive_field_frames(student.config) - 1
        self.reset()

    @property
    def frontend(self) -> FrontEndConfig:
        return self._frontend

    def reset(self) -> None:
        self._past = np.zeros((0, self._frontend.bands), np.float32)

    def step(self, features: Floats) -> Floats:
        return self.run(features[np.newaxis])[0]  # [bands] -> [1, bands] -> [bands]

    def run(self, features: Floats) -> Floats:
        frames = np.concatenate([self._past, features])
        self._past = frames[max(0, len(frames) - self._history) :]
        batch = frames[np.newaxis, :, :, np.newaxis]  # [1, frames, bands, 1]
        masks = self._model(batch, training=False).numpy()[0, :, :, 0]
        return masks[-len(features) :]
