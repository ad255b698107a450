"""Changes of whole waveforms in the graph: speed, rooms, clipped peaks. Each touches only the chosen rows."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws

SPEEDS = (0.85, 1.15)
MARGIN = 512  # samples faded and cut at both ends, where the FFT wraps around
ROOM_S = 1.0  # impulse responses are cut there
ONSET = 0.25  # the direct sound is the first sample above this part of the peak


def change_speed(
    waveforms: tf.Tensor, chosen: tf.Tensor, fraction: tf.Tensor, samples: int
) -> tf.Tensor:
    """Play the chosen rows at another speed (and pitch) by FFT resampling; [rows, samples].

    All chosen rows of a batch share one speed in `SPEEDS`. A spectrum cut or padded to another length is the signal at
    another rate, exactly, but periodic: hence the margins.

    Args:
        waveforms: [rows, at least `speed_source_samples(samples)`].
        chosen: bool [rows].
        fraction: scalar in [0, 1), chooses the speed.
    """
    rows = tf.where(chosen)
    straight = waveforms[:, :samples]
    padded = _fast_length(samples + 2 * MARGIN)
    sources = _fast_lengths(round(SPEEDS[0] * padded), round(SPEEDS[1] * padded))

    def resampled() -> tf.Tensor:
        source = tf.gather(sources, tf.cast(fraction * len(sources), tf.int32))
        selected = tf.gather_nd(waveforms, rows)[:, :source] * _edges(source)
        spectrum = tf.signal.rfft(selected)[:, : padded // 2]
        spectrum = tf.pad(spectrum, [[0, 0], [0, padded // 2 + 1 - tf.shape(spectrum)[1]]])
        stretched = tf.signal.irfft(spectrum, [padded])[:, MARGIN : MARGIN + samples]
        stretched *= tf.cast(padded / source, tf.float32)
        return tf.tensor_scatter_nd_update(straight, rows, stretched)

    return tf.cond(tf.size(rows) > 0, resampled, lambda: straight)


def speed_source_samples(samples: int) -> int:
    """Samples that `change_speed` needs to return `samples` at the highest speed."""
    padded = _fast_length(samples + 2 * MARGIN)
    return _fast_lengths(round(SPEEDS[0] * padded), round(SPEEDS[1] * padded))[-1]


def convolve_rooms(
    waveforms: tf.Tensor, chosen: tf.Tensor, rir: ClipStore, draws: Draws
) -> tf.Tensor:
    """Put the chosen rows [rows, samples] into random rooms; the direct sound stays where it was."""
    rows = tf.where(chosen)
    samples = waveforms.shape[-1]

    def reverberant() -> tf.Tensor:
        more = draws.child(4, tf.shape(rows)[0])
        which = more.fraction()
        # A crop at the start: padded responses begin with silence, which `align_direct` removes.
        responses = align_direct(rir.draw(which, tf.zeros_like(which))[0])
        size = _fast_length(samples + rir.samples)
        spectra = tf.signal.rfft(tf.gather_nd(waveforms, rows), [size])
        wet = tf.signal.irfft(spectra * tf.signal.rfft(responses, [size]), [size])
        return tf.tensor_scatter_nd_update(waveforms, rows, wet[:, :samples])

    return tf.cond(tf.size(rows) > 0, reverberant, lambda: waveforms)


def align_direct(responses: tf.Tensor) -> tf.Tensor:
    """Shift impulse responses [count, samples] so that the direct sound is sample 0."""
    samples = responses.shape[-1]
    magnitude = tf.abs(responses)
    loud = magnitude >= ONSET * tf.reduce_max(magnitude, axis=-1, keepdims=True)
    onset = tf.argmax(tf.cast(loud, tf.int8), axis=-1)[:, tf.newaxis]
    index = onset + tf.range(samples, dtype=tf.int64)[tf.newaxis]
    shifted = tf.gather(responses, tf.minimum(index, samples - 1), batch_dims=1)
    return tf.where(index < samples, shifted, 0.0)


def clip_peaks(waveforms: tf.Tensor, chosen: tf.Tensor, ratio: tf.Tensor) -> tf.Tensor:
    """Clip the chosen rows [rows, samples] at `ratio` [rows] of their peak, as an overdriven input does."""
    rows = tf.where(chosen)

    def clipped() -> tf.Tensor:
        selected = tf.gather_nd(waveforms, rows)
        limit = tf.reduce_max(tf.abs(selected), -1) * tf.gather_nd(ratio, rows)
        limit = limit[:, tf.newaxis]
        return tf.tensor_scatter_nd_update(
            waveforms, rows, tf.minimum(tf.maximum(selected, -limit), limit)
        )

    return tf.cond(tf.size(rows) > 0, clipped, lambda: waveforms)


def _edges(samples: tf.Tensor) -> tf.Tensor:
    """Ones [samples] that rise and fall over the part of the margin that is cut off later."""
    position = tf.range(samples)
    distance = tf.minimum(position, samples - 1 - position)
    rise = tf.cast(distance, tf.float32) / (0.8 * MARGIN)
    return 0.5 - 0.5 * tf.cos(np.pi * tf.minimum(rise, 1.0))


def _fast_length(samples: int) -> int:
    """The next even length whose only prime factors are 2, 3 and 5."""
    return next(
        length for length in range(samples + samples % 2, 2 * samples + 4, 2) if _is_fast(length)
    )


def _fast_lengths(low: int, high: int) -> list[int]:
    return [length for length in range(low + low % 2, high + 1, 2) if _is_fast(length)]


def _is_fast(length: int) -> bool:
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length == 1
