"""Changes of whole waveforms in the graph: speed, rooms, clipped peaks; chosen rows only."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws
from tfkd.data.rows import replace_rows

SPEEDS = (0.85, 1.15)
MARGIN = 512  # samples faded and cut at both ends, where the FFT wraps around
ROOM_S = 1.0  # impulse responses are cut there
ONSET = 0.25  # the direct sound is the first sample above this part of the peak


def change_speed(
    waveforms: tf.Tensor, chosen: tf.Tensor, fraction: tf.Tensor, samples: int
) -> tf.Tensor:
    """Play the chosen rows at another speed (and pitch) by FFT resampling; [rows, samples].

    All chosen rows share one speed in `SPEEDS`. A spectrum cut or padded to another length is the
    signal at another rate, exactly, but periodic: hence the margins.

    Args:
        waveforms: [rows, at least `speed_source_samples(samples)`].
        chosen: bool [rows].
        fraction: scalar in [0, 1), chooses the speed.
    """
    padded = _fast_length(samples + 2 * MARGIN)
    sources = _source_lengths(padded)

    def resampled(rows: tf.Tensor) -> tf.Tensor:
        source = tf.gather(sources, tf.cast(fraction * len(sources), tf.int32))
        selected = tf.gather_nd(waveforms, rows)[:, :source] * _edges(source)
        spectrum = tf.signal.rfft(selected)[:, : padded // 2]
        spectrum = tf.pad(spectrum, [[0, 0], [0, padded // 2 + 1 - tf.shape(spectrum)[1]]])
        stretched = tf.signal.irfft(spectrum, [padded])[:, MARGIN : MARGIN + samples]
        return stretched * tf.cast(padded / source, tf.float32)

    return replace_rows(waveforms[:, :samples], chosen, resampled)


def speed_source_samples(samples: int) -> int:
    """Samples that `change_speed` needs to return `samples` at the highest speed."""
    return _source_lengths(_fast_length(samples + 2 * MARGIN))[-1]


def convolve_rooms(
    waveforms: tf.Tensor, chosen: tf.Tensor, rir: ClipStore, draws: Draws
) -> tf.Tensor:
    """Put the chosen rows [rows, samples] into random rooms; the direct sound stays in place.

    The convolution is circular: a row begins in the reverberation of its own end, as a crop from
    the middle of a recording begins in that of what came before.

    Args:
        draws: of which a child is taken, so that two calls need two `draws`.
    """
    samples = waveforms.shape[-1]

    def reverberant(rows: tf.Tensor) -> tf.Tensor:
        which = draws.child(0, tf.shape(rows)[0]).fraction()
        # A crop at the start: padded responses begin with silence, which is cut here.
        responses = align_direct(rir.draw(which, tf.zeros_like(which))[0])
        spectra = tf.signal.rfft(tf.gather_nd(waveforms, rows))
        return tf.signal.irfft(spectra * tf.signal.rfft(responses, [samples]), [samples])

    return replace_rows(waveforms, chosen, reverberant)


def align_direct(responses: tf.Tensor) -> tf.Tensor:
    """Shift impulse responses [count, samples] so that the direct sound is sample 0."""
    samples = responses.shape[-1]
    magnitude = tf.abs(responses)
    loud = magnitude >= ONSET * tf.reduce_max(magnitude, axis=-1, keepdims=True)
    onset = tf.argmax(tf.cast(loud, tf.int8), axis=-1)
    return tf.map_fn(
        lambda pair: tf.pad(pair[0][pair[1] :], [[0, pair[1]]]),
        (responses, onset),
        fn_output_signature=tf.TensorSpec([samples], tf.float32),
        parallel_iterations=1,
    )


def clip_peaks(waveforms: tf.Tensor, chosen: tf.Tensor, ratio: tf.Tensor) -> tf.Tensor:
    """Clip the chosen rows [rows, samples] at `ratio` [rows] of their peak: an overdriven input."""

    def clipped(rows: tf.Tensor) -> tf.Tensor:
        selected = tf.gather_nd(waveforms, rows)
        limit = tf.reduce_max(tf.abs(selected), -1) * tf.gather_nd(ratio, rows)
        return tf.clip_by_value(selected, -limit[:, tf.newaxis], limit[:, tf.newaxis])

    return replace_rows(waveforms, chosen, clipped)


def _edges(samples: tf.Tensor) -> tf.Tensor:
    """Ones [samples] that rise and fall over the part of the margins that is cut off later."""
    position = tf.range(samples)
    distance = tf.minimum(position, samples - 1 - position)
    rise = tf.cast(distance, tf.float32) / (0.8 * MARGIN)
    return 0.5 - 0.5 * tf.cos(np.pi * tf.minimum(rise, 1.0))


def _source_lengths(padded: int) -> list[int]:
    """Even lengths with fast FFTs between the slowest and the highest speed."""
    low, high = (round(speed * padded) for speed in SPEEDS)
    return [length for length in range(low + low % 2, high + 1, 2) if _is_fast(length)]


def _fast_length(samples: int) -> int:
    """The next even length with a fast FFT."""
    length = samples + samples % 2
    while not _is_fast(length):
        length += 2
    return length


def _is_fast(length: int) -> bool:
    """Whether 2, 3 and 5 are the only prime factors."""
    for factor in (2, 3, 5):
        while length % factor == 0:
            length //= factor
    return length == 1
