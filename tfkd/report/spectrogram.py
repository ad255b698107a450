"""Spectrograms and masks as pictures on one dB scale; sound and pictures as data URIs."""

from __future__ import annotations

import io
from base64 import b64encode

import numpy as np
import soundfile
from matplotlib import colormaps
from matplotlib.image import imsave
from numpy.typing import NDArray

from tfkd.config import FrontEndConfig
from tfkd.frontend import stft

Floats = NDArray[np.float32]

FLOOR_DB = -80.0
COLOURS = colormaps["magma"]
_TINY = 1e-9


def decibels(magnitude: Floats, reference: float = 1.0) -> Floats:
    """20 log10(magnitude / reference), not below FLOOR_DB; same shape."""
    ratio = magnitude / max(reference, _TINY)
    floor = np.float32(10.0 ** (FLOOR_DB / 20.0))
    return (20.0 * np.log10(np.maximum(ratio, floor))).astype(np.float32)


def magnitudes(signal: Floats, config: FrontEndConfig) -> Floats:
    """Spectral magnitudes [frames, bins] by the model's own window and hop."""
    return np.abs(stft(signal, config)).astype(np.float32)


def picture(levels_db: Floats) -> str:
    """Levels [frames, bins] in dB from FLOOR_DB to 0 as a data URI: time right, frequency up."""
    shares = 1.0 - np.clip(levels_db.T / FLOOR_DB, 0.0, 1.0)  # [bins, frames]
    buffer = io.BytesIO()
    imsave(
        buffer,
        COLOURS(shares, bytes=True),
        format="jpg",
        origin="lower",
        pil_kwargs={"quality": 90, "subsampling": 0},
    )
    return data_uri("image/jpeg", buffer.getvalue())


def wav(signal: Floats, sample_rate: int) -> str:
    """A waveform [samples] as a data URI: 16-bit WAV, which every browser decodes."""
    buffer = io.BytesIO()
    soundfile.write(buffer, signal, sample_rate, subtype="PCM_16", format="WAV")
    return data_uri("audio/wav", buffer.getvalue())


def colour_stops(count: int = 9) -> list[str]:
    """The colours from FLOOR_DB to 0 dB, evenly, as CSS."""
    stops = (COLOURS(i / (count - 1), bytes=True) for i in range(count))
    return [f"rgb({red} {green} {blue})" for red, green, blue, _ in stops]


def data_uri(media_type: str, content: bytes) -> str:
    """RFC 2397: content in the page itself."""
    return f"data:{media_type};base64,{b64encode(content).decode('ascii')}"
