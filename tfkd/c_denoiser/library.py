"""The exported denoiser, compiled for this machine: int16 samples in, int16 samples out."""

from __future__ import annotations

import ctypes
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from tfkd.c_denoiser.sources import CSources
from tfkd.engines.host_library import host_library
from tfkd.errors import ModelError

Int16 = NDArray[np.int16]


class CDenoiser:
    """Runs `tfkd_denoise_hop`; made of sources with a front end.

    Raises:
        MissingPackageError: there is no C compiler.
        ModelError: the sources have no front end.
    """

    def __init__(self, sources: CSources) -> None:
        if sources.frontend is None:
            raise ModelError("the exported C code has no front end, so it denoises no samples.")
        self._hop = sources.frontend.hop
        hops = (files("tfkd.c_denoiser") / "hops.c").read_text(encoding="utf-8")
        self._library = host_library({**sources.files, "hops.c": hops})
        self._library.tfkd_denoiser_bytes.restype = ctypes.c_size_t
        self._library.tfkd_denoise_hops.restype = None
        size = self._library.tfkd_denoiser_bytes()
        self._state = (ctypes.c_uint64 * -(-size // 8))()  # aligned for every member
        self.reset()

    def reset(self) -> None:
        """Begin a recording."""
        self._library.tfkd_denoiser_reset(ctypes.byref(self._state))

    def limit(self, least_gain: float) -> None:
        """Attenuate to no less than this gain, until the next reset."""
        self._library.tfkd_denoiser_limit(ctypes.byref(self._state), ctypes.c_float(least_gain))

    def process(self, samples: Int16) -> Int16:
        """The next block of whole hops [n hop]; the output lags by one hop."""
        samples = np.ascontiguousarray(samples, np.int16)
        if len(samples) % self._hop:
            raise ValueError(f"expected whole hops of {self._hop}, received {len(samples)} samples")
        output = np.empty_like(samples)
        self._library.tfkd_denoise_hops(
            ctypes.byref(self._state),
            ctypes.c_void_p(samples.ctypes.data),
            ctypes.c_void_p(output.ctypes.data),
            ctypes.c_size_t(len(samples) // self._hop),
        )
        return output
