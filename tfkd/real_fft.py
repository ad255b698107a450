"""The real Fourier transform as float32 operations in a fixed order.

A feature that falls on the other side of a rounding boundary changes an int8 input of the model.
So the desktop transforms as the microcontroller does: `c_denoiser/real_fft.c` performs the same
IEEE additions and multiplications in the same order, and both give the same bits. NumPy's and the
vendors' transforms agree with it to float32's precision only.

A transform of `window` reals is one of window / 2 complex numbers (even samples + i odd samples),
by Stockham's algorithm with radices 4, 2 and any odd one, so every even window works.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Complex = NDArray[np.complex64]


@lru_cache(maxsize=16)
def roots_of_unity(count: int, points: int) -> Complex:
    """exp(-2 pi i k / points) for k < count, rounded to float32, shape [count]."""
    angles = 2.0 * np.pi * np.arange(count) / points
    exact = np.cos(angles) - 1j * np.sin(angles)
    exact.real[np.abs(exact.real) < 1e-12] = 0.0  # where pi itself was rounded
    exact.imag[np.abs(exact.imag) < 1e-12] = 0.0
    roots = exact.astype(np.complex64)
    roots.setflags(write=False)
    return roots


def real_fft(frames: Floats) -> Complex:
    """Frames [..., even window] to spectra [..., window / 2 + 1], as `numpy.fft.rfft`."""
    window = frames.shape[-1]
    half, middle = window // 2, window // 4
    real, imaginary = _complex_fft(
        frames[..., 0::2].reshape(-1, half), frames[..., 1::2].reshape(-1, half)
    )
    spectra = np.empty((len(real), half + 1), np.complex64)
    spectra[:, 0] = real[:, 0] + imaginary[:, 0]
    spectra[:, half] = real[:, 0] - imaginary[:, 0]
    low, high = slice(1, middle + 1), slice(half - 1, half - middle - 1, -1)  # bins k, half - k
    even_re = np.float32(0.5) * (real[:, low] + real[:, high])
    even_im = np.float32(0.5) * (imaginary[:, low] - imaginary[:, high])
    odd_re = np.float32(0.5) * (imaginary[:, low] + imaginary[:, high])
    odd_im = np.float32(0.5) * (real[:, high] - real[:, low])
    turn = roots_of_unity(middle + 1, window)[1:]
    turned_re = odd_re * turn.real - odd_im * turn.imag
    turned_im = odd_re * turn.imag + odd_im * turn.real
    spectra.real[:, low] = even_re + turned_re
    spectra.imag[:, low] = even_im + turned_im
    spectra.real[:, high] = even_re - turned_re
    spectra.imag[:, high] = turned_im - even_im
    return spectra.reshape(*frames.shape[:-1], half + 1)


def inverse_real_fft(spectra: Complex) -> Floats:
    """Spectra [..., window / 2 + 1] to frames [..., window], as `numpy.fft.irfft`."""
    half = spectra.shape[-1] - 1
    window, middle = 2 * half, half // 2
    real = spectra.real.reshape(-1, half + 1)
    imaginary = spectra.imag.reshape(-1, half + 1)
    # In reverse order, of which the forward transform is the inverse.
    scale = np.float32(0.5) / np.float32(half)
    packed_re, packed_im = np.empty((2, len(real), half), np.float32)
    packed_re[:, 0] = scale * (real[:, 0] + real[:, half])
    packed_im[:, 0] = scale * (real[:, 0] - real[:, half])
    low, high = slice(1, middle + 1), slice(half - 1, half - middle - 1, -1)  # bins k, half - k
    even_re = scale * (real[:, low] + real[:, high])
    even_im = scale * (imaginary[:, low] - imaginary[:, high])
    turned_re = scale * (real[:, low] - real[:, high])
    turned_im = scale * (imaginary[:, low] + imaginary[:, high])
    turn = roots_of_unity(middle + 1, window)[1:]
    odd_re = turned_re * turn.real + turned_im * turn.imag
    odd_im = turned_im * turn.real - turned_re * turn.imag
    packed_re[:, high] = even_re - odd_im
    packed_im[:, high] = even_im + odd_re
    packed_re[:, low] = even_re + odd_im
    packed_im[:, low] = odd_re - even_im
    frames = np.empty((len(real), window), np.float32)
    frames[:, 0::2], frames[:, 1::2] = _complex_fft(packed_re, packed_im)
    return frames.reshape(*spectra.shape[:-1], window)


def _complex_fft(real: Floats, imaginary: Floats) -> tuple[Floats, Floats]:
    """Forward transform of [frames, points] by Stockham's algorithm, decimation in frequency.

    A stage splits `stride` interleaved transforms of `length` points into radix * stride ones of
    length / radix points; its outputs lie so that nothing needs to be reordered at the end.
    """
    frames, points = real.shape
    roots = roots_of_unity(points, points)
    length, stride = points, 1
    while length > 1:
        radix = _radix(length)
        groups = length // radix
        inputs = (frames, radix, groups, stride)
        out_re, out_im = np.empty((2, frames, groups, radix, stride), np.float32)
        butterflies = _butterflies(real.reshape(inputs), imaginary.reshape(inputs), roots)
        for j, (re, im) in enumerate(butterflies):  # each [frames, groups, stride]
            if j == 0:
                out_re[:, :, 0], out_im[:, :, 0] = re, im
                continue
            turn = roots[j * stride * np.arange(groups)][:, np.newaxis]  # [groups, 1]
            out_re[:, :, j] = re * turn.real - im * turn.imag
            out_im[:, :, j] = re * turn.imag + im * turn.real
        real, imaginary = out_re.reshape(frames, points), out_im.reshape(frames, points)
        length, stride = groups, stride * radix
    return real, imaginary


def _radix(length: int) -> int:
    """4 and 2 as long as they divide, then the smallest odd divisor."""
    if length % 2 == 0:
        return 2 if length % 4 else 4
    return next(radix for radix in range(3, length + 1, 2) if length % radix == 0)


def _butterflies(re: Floats, im: Floats, roots: Complex) -> Iterator[tuple[Floats, Floats]]:
    """The `radix` outputs of transforms along axis 1."""
    x: list[tuple[Floats, Floats]] = [(re[:, i], im[:, i]) for i in range(re.shape[1])]
    radix = len(x)
    if radix == 4:
        (a_re, a_im), (b_re, b_im), (c_re, c_im), (d_re, d_im) = x
        sum_ac_re, sum_ac_im = a_re + c_re, a_im + c_im
        sum_bd_re, sum_bd_im = b_re + d_re, b_im + d_im
        gap_ac_re, gap_ac_im = a_re - c_re, a_im - c_im
        gap_bd_re, gap_bd_im = b_re - d_re, b_im - d_im
        yield sum_ac_re + sum_bd_re, sum_ac_im + sum_bd_im
        yield gap_ac_re + gap_bd_im, gap_ac_im - gap_bd_re
        yield sum_ac_re - sum_bd_re, sum_ac_im - sum_bd_im
        yield gap_ac_re - gap_bd_im, gap_ac_im + gap_bd_re
    elif radix == 2:
        (a_re, a_im), (b_re, b_im) = x
        yield a_re + b_re, a_im + b_im
        yield a_re - b_re, a_im - b_im
    else:
        for j in range(radix):
            total_re, total_im = x[0]
            for i in range(1, radix):
                turn = roots[(i * j) % radix * (len(roots) // radix)]
                (x_re, x_im) = x[i]
                total_re = total_re + (x_re * turn.real - x_im * turn.imag)
                total_im = total_im + (x_re * turn.imag + x_im * turn.real)
            yield total_re, total_im
