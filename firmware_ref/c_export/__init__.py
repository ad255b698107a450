"""A .tflite model as C99 source without an interpreter: `export_c(read_model(path)).files`."""

from firmware_ref.c_export.export import CSource as CSource
from firmware_ref.c_export.export import export_c as export_c

__all__ = ["CSource", "export_c"]
