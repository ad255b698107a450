"""Recordings to batches of (noisy, clean) spectra.

Importing this package does not import TensorFlow; the first use of a data set does.
"""

from __future__ import annotations

from typing import Any

__all__ = ["training_dataset", "validation_dataset"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from tfkd.data import dataset

    return getattr(dataset, name)
