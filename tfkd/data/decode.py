"""tensorflow-io decodes recordings inside the tf.data graph: mono, resampled, cropped at random.

`tfio.IOTensor` seeks, so a crop from an hour-long recording costs what the crop costs. Its reader
keeps one state per graph node: it must not run in a parallel map (clips then mix up), and it aborts
the process when asked for another sample type than the file's, hence the dispatch on the subtype
that the header names.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import tensorflow as tf
import tensorflow_io as tfio
from tensorflow_io.python.ops import core_ops  # tfio.audio.resample warns on every trace

from tfkd.data.corpus import Clip, speaker_ids
from tfkd.errors import AudioError, CorpusError

# Resident clips are scaled to this peak: quiet 24-bit recordings keep their detail.
INT16_PEAK = 32000.0
SILENCE = 1e-5  # a peak below -100 dBFS
CROSS_FADE_S = 0.010
RESAMPLER_TAPS = 64  # of tfio's resampler (Speex, quality 4) at its lower rate


def decode(path: tf.Tensor, subtype: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
    """Frames [start, stop) of a recording as mono float32 [stop - start], full scale 1.

    Args:
        path: string scalar.
        subtype: index into `SUBTYPE_CODES`.
        start, stop: int64 scalars at the file's own rate.
    """

    def read(dtype: tf.DType) -> tf.Tensor:
        return tfio.IOTensor.graph(dtype).from_audio(path)[start:stop]  # [frames, channels]

    samples = tf.switch_case(
        subtype,
        [
            lambda: (tf.cast(read(tf.uint8), tf.float32) - 128.0) / 128.0,
            lambda: tf.cast(read(tf.int16), tf.float32) / 32768.0,
            lambda: tf.cast(read(tf.int32), tf.float32) / 2147483648.0,
            lambda: read(tf.float32),
            # tfio hands 32-bit integers over as if their bits were floats.
            lambda: tf.cast(tf.bitcast(read(tf.float32), tf.int32), tf.float32) / 2147483648.0,
        ],
    )
    return tf.reduce_mean(samples, axis=1)


SUBTYPE_CODES = {"PCM_U8": 0, "PCM_16": 1, "PCM_24": 2, "FLOAT": 3, "VORBIS": 3, "PCM_32": 4}


def resample(
    waveform: tf.Tensor, rate_in: tf.Tensor, rate_out: int, divisor: tf.Tensor
) -> tf.Tensor:
    """Resample [samples] at rate_in to [samples * rate_out // rate_in], aligned with the input.

    tfio's resampler delays by half its filter, 32 samples of the lower rate, and drops as much at
    the end. Zeros before the signal make that delay a whole number of output samples, which are cut
    off; zeros after it flush the tail.

    Args:
        waveform: float32 [samples].
        rate_in, rate_out: Hz; rate_in is an int64 scalar.
        divisor: int64 scalar, the greatest common divisor of both rates.
    """
    samples = tf.size(waveform, tf.int64)

    def convert() -> tf.Tensor:
        period = rate_in // divisor
        taps = tf.maximum(RESAMPLER_TAPS * rate_in // rate_out, RESAMPLER_TAPS)
        taps = (taps + 7) // 8 * 8  # Speex rounds its filter up to eight taps
        lead = -(taps // 2) % period
        delay = (taps // 2 + lead) * rate_out // rate_in
        padded = tf.pad(waveform, [[lead, taps + period]])
        converted = core_ops.io_audio_resample(padded[:, tf.newaxis], rate_in, rate_out)
        length = samples * rate_out // rate_in
        return tf.reshape(converted, [-1])[delay : delay + length]

    return tf.cond(tf.equal(rate_in, rate_out), lambda: waveform, convert)


def extend(waveform: tf.Tensor, samples: int, short: str, fade: int) -> tf.Tensor:
    """Make a clip shorter than `samples` long enough for crops at any of its positions.

    "loop" repeats it with a linear cross-fade of `fade` samples until every one of its samples can
    start a crop; "pad" puts silence around it, so that a crop holds the whole clip somewhere.
    """
    length = tf.size(waveform)

    def lengthen() -> tf.Tensor:
        if short == "pad":
            return tf.pad(waveform, [[samples - length, samples - length]])
        overlap = tf.minimum(fade, length // 2)
        ramp = (tf.range(overlap, dtype=tf.float32) + 0.5) / tf.cast(overlap, tf.float32)
        period = length - overlap
        seam = waveform[period:] * (1.0 - ramp) + waveform[:overlap] * ramp
        cycle = tf.concat([seam, waveform[overlap:period]], 0)  # [period]
        repeats = (samples + length) // period + 1
        return tf.tile(cycle, [repeats])[: samples + length]

    return tf.cond(length >= samples, lambda: waveform, lengthen)


class ClipStore:
    """Random crops of a set of recordings, from memory or from disk.

    Decoded clips are kept in memory as int16 when they fit into `memory_bytes`; otherwise each crop
    is read, decoded and resampled when it is drawn, and memory does not grow with the corpus.

    Args:
        clips: the recordings.
        sample_rate: Hz of the crops.
        samples: length of a crop.
        short: what happens to clips shorter than that, see `extend`.
        memory_bytes: 0 streams always.
        keep_level: otherwise clips in memory are scaled to one peak, which keeps the detail of
            quiet 24-bit and float recordings in int16.

    Raises:
        CorpusError: there are no clips.
        AudioError: a clip cannot be decoded, or is silent throughout.
    """

    def __init__(
        self,
        clips: Sequence[Clip],
        sample_rate: int,
        *,
        samples: int,
        short: Literal["loop", "pad"],
        memory_bytes: int,
        keep_level: bool = False,
    ) -> None:
        if not clips:
            raise CorpusError("A ClipStore needs at least one recording. Received: none.")
        self.samples, self.sample_rate, self._short = samples, sample_rate, short
        self._clips, self._keep_level = tuple(clips), keep_level
        self._fade = round(CROSS_FADE_S * sample_rate)
        lengths = np.array([clip.frames * sample_rate // clip.sample_rate for clip in clips])
        extra = {"loop": samples, "pad": 2 * samples}[short]
        sign = {"loop": 1, "pad": -1}[short]
        # What `extend` makes of each length.
        extended = np.where(lengths < samples, extra + sign * lengths, lengths)
        weights = np.cumsum([clip.seconds for clip in clips])
        speakers = speaker_ids(clips)
        self.speakers = max(speakers) + 1
        self.resident = 2 * int(extended.sum()) <= memory_bytes
        self.resident_bytes = 2 * int(extended.sum()) if self.resident else 0

        self._paths = tf.constant([str(clip.path) for clip in clips])
        self._subtypes = tf.constant([SUBTYPE_CODES[clip.subtype] for clip in clips])
        self._rates = tf.constant([clip.sample_rate for clip in clips], tf.int64)
        divisors = [math.gcd(clip.sample_rate, sample_rate) for clip in clips]
        self._divisors = tf.constant(divisors, tf.int64)
        self._firsts = tf.constant([clip.first_frame for clip in clips], tf.int64)
        self._frames = tf.constant([clip.frames for clip in clips], tf.int64)
        self._lengths = tf.constant(lengths, tf.int64)
        self._extended = tf.constant(extended, tf.int64)
        self._cumulative = tf.constant(weights / weights[-1], tf.float64)
        self._speakers = tf.constant(speakers, tf.int32)
        if self.resident:
            self._offsets = tf.constant(np.cumsum(extended) - extended, tf.int64)
            self._pcm = tf.constant(self._decode_all(extended))

    def draw(self, which: tf.Tensor, where: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """Crops float32 [count, samples] and their speakers int32 [count].

        Args:
            which: float64 [count], uniform in [0, 1): chooses clips by their duration.
            where: float64 [count], uniform in [0, 1): chooses the crops.
        """
        clips = tf.searchsorted(self._cumulative, which, side="right")
        clips = tf.minimum(clips, len(self._clips) - 1)
        room = tf.gather(self._extended, clips) - self.samples + 1
        starts = tf.cast(where * tf.cast(room, tf.float64), tf.int64)
        if self.resident:
            crops = tf.map_fn(
                lambda start: tf.slice(self._pcm, [start], [self.samples]),
                tf.gather(self._offsets, clips) + starts,
                fn_output_signature=tf.TensorSpec([self.samples], tf.int16),
                parallel_iterations=1,
            )
            crops = tf.cast(crops, tf.float32) / 32768.0
        else:
            crops = tf.map_fn(
                lambda pair: self._stream(pair[0], pair[1]),
                (clips, starts),
                fn_output_signature=tf.TensorSpec([self.samples], tf.float32),
                parallel_iterations=1,
            )
        return crops, tf.gather(self._speakers, clips)

    def _read(self, clip: tf.Tensor, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
        """Samples [start, stop) of a clip, counted at the store's rate."""
        rate, frames = self._rates[clip], self._frames[clip]
        # A start that both rates share, early enough for the resampler's filter to settle.
        divisor = self._divisors[clip]
        unit_in, unit_out = rate // divisor, self.sample_rate // divisor
        settle = tf.where(tf.equal(rate, self.sample_rate), tf.constant(0, tf.int64), 256)
        first = tf.maximum(start - settle, 0) // unit_out
        last = (stop + settle) // unit_out + 1
        origin = self._firsts[clip]
        start_in, stop_in = first * unit_in, tf.minimum(last * unit_in, frames)
        waveform = decode(
            self._paths[clip], self._subtypes[clip], origin + start_in, origin + stop_in
        )
        waveform = resample(waveform, rate, self.sample_rate, divisor)
        return waveform[start - first * unit_out : stop - first * unit_out]

    def _stream(self, clip: tf.Tensor, start: tf.Tensor) -> tf.Tensor:
        length = self._lengths[clip]
        whole = length < self.samples
        first = tf.where(whole, tf.constant(0, tf.int64), start)
        last = tf.where(whole, length, start + self.samples)
        waveform = extend(self._read(clip, first, last), self.samples, self._short, self._fade)
        crop_start = start - first
        return tf.ensure_shape(waveform[crop_start : crop_start + self.samples], [self.samples])

    def _decode_all(self, extended: np.ndarray) -> np.ndarray:
        """Every clip, extended, at `INT16_PEAK`, one after the other: int16 [sum of extended]."""

        @tf.autograph.experimental.do_not_convert
        def decoded(clip: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            waveform = self._read(clip, tf.constant(0, tf.int64), self._lengths[clip])
            peak = tf.reduce_max(tf.abs(waveform))
            scale = 32768.0 if self._keep_level else INT16_PEAK / tf.maximum(peak, SILENCE)
            scaled = extend(waveform * scale, self.samples, self._short, self._fade)
            scaled = tf.clip_by_value(tf.round(scaled), -32768.0, 32767.0)
            return tf.cast(scaled, tf.int16), peak

        pcm = np.zeros(int(extended.sum()), np.int16)
        silent: list[str] = []
        position = clip = 0
        try:
            for samples, peak in tf.data.Dataset.range(len(self._clips)).map(decoded):
                path = self._clips[clip].path
                if not (self._keep_level or peak >= SILENCE):
                    silent.append(str(path))
                if len(samples) != extended[clip]:
                    raise AudioError(
                        f"{path} holds less audio than its header declares. Replace or remove it."
                    )
                pcm[position : position + len(samples)] = samples
                position += len(samples)
                clip += 1
        except tf.errors.OpError as error:
            path = self._clips[clip].path
            reason = error.message.splitlines()[0]
            raise AudioError(
                f"{path} cannot be decoded: {reason}. Replace or remove it."
            ) from error
        if silent:
            raise AudioError(f"silent throughout: {', '.join(silent)}. Remove from the corpus.")
        return pcm
