"""A streaming denoiser as C99: the exported model with the front end around it."""

from tfkd.c_denoiser.sources import CSources as CSources
from tfkd.c_denoiser.sources import c_sources as c_sources

__all__ = ["CSources", "c_sources"]
