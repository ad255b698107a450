"""What an engine is: something that turns features into masks, frame by frame, with a state."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tfkd.config import FrontEndConfig

Floats = NDArray[np.float32]


class Engine(Protocol):
    """Runs a denoiser's model on band features; the state carries over from call to call."""

    @property
    def frontend(self) -> FrontEndConfig:
        """The front end that the model was trained with."""

    def reset(self) -> None:
        """Forget everything heard so far."""

    def step(self, features: Floats) -> Floats:
        """One frame: features [bands] in [-1, 1] to a mask [bands] in [0, 1]."""

    def run(self, features: Floats) -> Floats:
        """Consecutive frames: features [frames, bands] to masks [frames, bands]; `step` on each."""
