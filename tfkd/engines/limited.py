"""An engine for which less of the noise is removed: another least gain around the same model."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tfkd.config import FrontEndConfig
from tfkd.engines.engine import Engine

Floats = NDArray[np.float32]


def least_gain(max_attenuation_db: float) -> float:
    """The gain that lies max_attenuation_db below 1.

    Raises:
        ValueError: an attenuation below 0 dB would amplify.
    """
    if not max_attenuation_db >= 0.0:
        raise ValueError(f"expected an attenuation of 0 dB or more, received {max_attenuation_db}")
    return float(10.0 ** (-max_attenuation_db / 20.0))


class LimitedEngine:
    """Another engine, its front end with a `least_gain` of its own (see `frontend.bin_mask`).

    Args:
        engine: makes the masks.
        max_attenuation_db: of any bin; 0: nothing is removed, infinite: the mask alone decides.

    Raises:
        ValueError: an attenuation below 0 dB.
    """

    def __init__(self, engine: Engine, max_attenuation_db: float) -> None:
        self._engine = engine
        self._frontend = engine.frontend.model_copy(
            update={"least_gain": least_gain(max_attenuation_db)}
        )

    @property
    def frontend(self) -> FrontEndConfig:
        return self._frontend

    def reset(self) -> None:
        self._engine.reset()

    def step(self, features: Floats) -> Floats:
        return self._engine.step(features)

    def run(self, features: Floats) -> Floats:
        return self._engine.run(features)
