"""The exported C99 code, compiled for this machine: the same source as on the microcontroller."""

from __future__ import annotations

import ctypes
from functools import lru_cache
from importlib.resources import files

import numpy as np

from firmware_ref.c_export import export_c
from firmware_ref.reader import read_model
from tfkd.engines.host_library import host_library
from tfkd.engines.int8_engine import Int8Engine
from tfkd.engines.streaming_model import Int8, StreamingModel


class CEngine(Int8Engine):
    """Runs `tfkd_step` of the exported model.

    Raises:
        MissingPackageError: there is no C compiler.
        firmware_ref.errors.FirmwareRefError: the model asks for what the C export lacks.
    """

    def __init__(self, model: StreamingModel) -> None:
        super().__init__(model)
        self._library = _compiled(model.content)
        size = self._library.tfkd_state_bytes()
        self._state = (ctypes.c_uint64 * -(-size // 8))()  # aligned for every member
        self.reset()

    def reset(self) -> None:
        self._library.tfkd_reset(self._state)

    def run_q(self, frames_q: Int8) -> Int8:
        frames_q = np.ascontiguousarray(frames_q, np.int8)
        masks_q = np.empty_like(frames_q)
        self._library.tfkd_steps(
            self._state, frames_q.ctypes.data, masks_q.ctypes.data, len(frames_q)
        )
        return masks_q


@lru_cache(maxsize=8)
def _compiled(content: bytes) -> ctypes.PyDLL:
    """The library of a model; engines of the same model share it, each with its own state."""
    stream = (files("tfkd.engines") / "stream.c").read_text(encoding="utf-8")
    library = host_library({**export_c(read_model(content)).files, "stream.c": stream})
    library.tfkd_state_bytes.restype = ctypes.c_size_t
    library.tfkd_reset.argtypes = [ctypes.c_void_p]
    library.tfkd_reset.restype = None
    library.tfkd_steps.argtypes = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_size_t,
    ]
    library.tfkd_steps.restype = None
    return library
