"""What int8 engines share: quantisation at the edges, and states between invocations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np

from tfkd.config import FrontEndConfig
from tfkd.engines.streaming_model import Floats, Int8, StreamingModel


class Int8Engine(ABC):
    """Runs a streaming int8 model; a subclass supplies `run_q` and `reset`."""

    def __init__(self, model: StreamingModel) -> None:
        self.model = model

    @property
    def frontend(self) -> FrontEndConfig:
        return self.model.frontend

    @abstractmethod
    def reset(self) -> None:
        """Every state to its zero point."""

    @abstractmethod
    def run_q(self, frames_q: Int8) -> Int8:
        """Consecutive quantised frames [frames, bands] to quantised masks [frames, bands]."""

    def step(self, features: Floats) -> Floats:
        return self.run(features[np.newaxis])[0]  # [bands] -> [1, bands] -> [bands]

    def run(self, features: Floats) -> Floats:
        return self.model.mask.dequantize(self.run_q(self.model.frame.quantize(features)))


class InvokedEngine(Int8Engine):
    """Hands the states from invocation to invocation; a subclass supplies `invoke`."""

    def __init__(self, model: StreamingModel) -> None:
        super().__init__(model)
        self._states_q = model.initial_states_q()

    @abstractmethod
    def invoke(self, inputs_q: Sequence[Int8]) -> list[Int8]:
        """Set all inputs, run the graph once, return copies of all outputs; keeps no state."""

    def reset(self) -> None:
        self._states_q = self.model.initial_states_q()

    def run_q(self, frames_q: Int8) -> Int8:
        masks_q = np.empty_like(frames_q)
        batched = frames_q.reshape(len(frames_q), 1, 1, -1, 1)  # each item is a [1, 1, bands, 1]
        for i, frame_q in enumerate(batched):
            mask_q, *self._states_q = self.invoke([frame_q, *self._states_q])
            masks_q[i] = mask_q.reshape(-1)
        return masks_q
