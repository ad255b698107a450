"""All C files of a .tflite: of one of ours with its front end, of any other the model alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from firmware_ref.c_export import export_c
from firmware_ref.errors import FirmwareRefError
from firmware_ref.reader import read_model
from firmware_ref.whole_file import write_together
from tfkd.c_denoiser.front_end import front_end_files
from tfkd.config import FrontEndConfig
from tfkd.engines.streaming_model import METADATA_NAME, parse_streaming_model
from tfkd.errors import ConversionError, ModelError

INT16_BYTES, FLOAT_BYTES = 2, 4
FIXED_FILES = ("denoiser.h", "denoiser.c", "real_fft.h", "real_fft.c", "float32.h")


@dataclass(frozen=True)
class CSources:
    """The C files of one model.

    Attributes:
        files: name -> text, to be written side by side and compiled together.
        frontend: that of `tfkd_denoise_hop`; None where there is `tfkd_step` alone.
        state_bytes: RAM of one channel: `tfkd_denoiser`, or `tfkd_state`.
        work_bytes: RAM of the buffers that all channels share.
        input_size: values of a frame that `tfkd_step` takes.
    """

    files: dict[str, str] = field(repr=False)
    frontend: FrontEndConfig | None
    state_bytes: int
    work_bytes: int
    input_size: int

    def write(self, folder: str | Path) -> list[Path]:
        """Write them into a folder, all or none; returns their paths.

        Raises:
            OSError: the folder cannot be made or written to.
        """
        write_together(Path(folder), self.files)
        return [Path(folder) / name for name in sorted(self.files)]


def c_sources(path: str | Path) -> CSources:
    """The C files of a .tflite.

    Raises:
        ModelError: it cannot be read, is damaged, or breaks the contract of a streaming model.
        ConversionError: it has operators, types or states that the C export lacks.
    """
    path = Path(path)
    try:
        content = path.read_bytes()
        model = read_model(content)
    except OSError as error:
        raise ModelError(f"{path}: cannot be read ({error.strerror}).") from error
    except FirmwareRefError as error:
        raise ModelError(f"{path}: is not a usable .tflite model: {error}") from error
    try:
        exported = export_c(model)
    except FirmwareRefError as error:
        raise ConversionError(f"{path}: cannot become C code: {error}") from error
    graph = model.subgraphs[0]
    size = graph.tensors[graph.inputs[0]].elements
    if METADATA_NAME not in model.metadata:
        return CSources(exported.files, None, exported.state_bytes, exported.work_bytes, size)
    streaming = parse_streaming_model(content, path)
    config = streaming.frontend
    folder = files("tfkd.c_denoiser")
    fixed = {name: (folder / name).read_text(encoding="utf-8") for name in FIXED_FILES}
    return CSources(
        {**exported.files, **front_end_files(streaming), **fixed},
        config,
        state_bytes=exported.state_bytes + config.hop * (INT16_BYTES + FLOAT_BYTES),
        work_bytes=exported.work_bytes + 2 * (config.window + 1) * FLOAT_BYTES,
        input_size=size,
    )
