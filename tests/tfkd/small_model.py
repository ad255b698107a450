"""The sizes of a smallest member of the DAE family; TensorFlow is not imported here."""

from __future__ import annotations

from tfkd.config import FrontEndConfig, ModelConfig

_BANDS = 16
_SIZES: dict[str, list[int] | int] = {
    "channels": [4, 4],
    "kernels": [4, 3],
    "strides": [2, 2],
    "time_kernels": [3, 0],
    "expansions": [1, 1],
    "latent": 8,
    "hidden": 8,
    "dilations": [1, 2],
}

SMALL_DAE = ModelConfig(name="nano", frontend=FrontEndConfig(bands=_BANDS), **_SIZES)
SMALL_MODEL = [
    f"model.frontend.bands={_BANDS}",
    *(f"model.{key}={value}" for key, value in _SIZES.items()),
]
"""The same, as settings on the command line."""
