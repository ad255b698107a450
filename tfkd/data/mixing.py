"""Random mixtures of speech and noise as a tf.data graph that yields spectra.

The STFT is linear, so levels, spectral tilt and slow changes of the noise are gains on spectra: one STFT per source and
no filtering of waveforms. Batch k is a pure function of (seed, k): training resumes at any step with the same batches.
"""

from __future__ import annotations

import math

import numpy as np
import tensorflow as tf

from tfkd import frontend_tf
from tfkd.config import DataConfig, FrontEndConfig
from tfkd.data.augment import change_speed, clip_peaks, convolve_rooms, speed_source_samples
from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws
from tfkd.data.synthetic import synthetic_noise
from tfkd.frontend import erb_rate

ACTIVE_RANGE_DB = 35.0  # speech frames this far below the 95th percentile still count as active
ACTIVE_PERCENTILE = 0.95
CLEAN_SNR_DB = (40.0, 60.0)
NOISE_ONLY = 0.02  # probability of an example without speech
CLIPPED = 0.04  # probability of an overdriven speech signal
BAND_LIMITED = 0.05  # probability of a telephone-like device: speech and noise lose their treble
MOVING_NOISE = 0.35  # probability that the level of the noise wanders
MOVING_NOISE_DB = 10.0
SECOND_NOISE_DB = (-12.0, 6.0)  # against the first
VOICES = (3, 8)
VOICE_DB = 4.0
TILT_SHAPES = 4
SILENT_POWER = 1e-10


def mixture_batch(
    speech: ClipStore,
    noise: ClipStore,
    rir: ClipStore | None,
    data: DataConfig,
    frontend: FrontEndConfig,
    *,
    batch: int,
    seed: tf.Tensor,
) -> tuple[tf.Tensor, tf.Tensor]:
    """One batch of mixtures: (noisy, clean) spectra, complex64 [batch, frames, bins].

    The level of active speech is U(level_dbfs) and the ratio of its power to the mean noise power U(snr_db), both after
    equalisation. Reverberation and clipping of the speech belong to the clean target: the task is denoising.

    Args:
        seed: int64 [2].
    """
    draws = Draws(seed, batch)
    samples = round(data.segment_s * frontend.sample_rate)
    voice, speakers = speech.draw(draws.fraction(), draws.fraction())
    voice = change_speed(voice, draws.chance(data.speed), draws.fraction()[0], samples)
    sound = _noise_waveforms(speech, speakers, noise, data, draws, samples, frontend.sample_rate)
    if rir is not None:
        reverberant = draws.chance(data.reverb)
        distant = draws.chance(0.5 * data.reverb)
        both = convolve_rooms(
            tf.concat([voice, sound], 0), tf.concat([reverberant, distant], 0), rir, draws
        )
        voice, sound = both[:batch], both[batch:]
    voice = clip_peaks(voice, draws.chance(CLIPPED), draws.log_uniform(0.15, 0.8))

    spectra = frontend_tf.stft(tf.concat([voice, sound], 0), frontend)
    parts = _as_floats(spectra)  # [2 batch, frames, 2 bins]
    band_limit = _band_limit(draws, frontend)
    voice_gain = _random_equaliser(draws, data.tilt_db, frontend) * band_limit  # [batch, 1, 2 bins]
    sound_gain = _random_equaliser(draws, data.tilt_db, frontend) * band_limit
    movement = _moving_gain(draws, parts.shape[1], frontend)  # [batch, frames, 1]

    power = tf.square(parts)
    voice_power = _frame_power(power[:batch], voice_gain, frontend)
    sound_power = _frame_power(power[batch:], sound_gain, frontend) * movement[..., 0] ** 2
    speech_power = active_power(voice_power)
    noise_power = tf.reduce_mean(sound_power, axis=-1)
    level = draws.uniform(*data.level_dbfs)
    snr = tf.where(
        draws.chance(data.clean_fraction), draws.uniform(*CLEAN_SNR_DB), draws.uniform(*data.snr_db)
    )
    present = tf.cast(~draws.chance(NOISE_ONLY), tf.float32)
    voice_scale = present * _gain_to(level, speech_power)
    sound_scale = _gain_to(level - snr, noise_power)

    clean = parts[:batch] * (voice_gain * voice_scale[:, tf.newaxis, tf.newaxis])
    sound_gain *= sound_scale[:, tf.newaxis, tf.newaxis]
    noisy = clean + parts[batch:] * (movement * sound_gain)
    return _as_spectra(noisy), _as_spectra(clean)


def mixture_dataset(
    speech: ClipStore,
    noise: ClipStore,
    rir: ClipStore | None,
    data: DataConfig,
    frontend: FrontEndConfig,
    *,
    batch: int,
    seed: int,
    start_step: int = 0,
    steps: int | None = None,
) -> tf.data.Dataset:
    """Endless (or `steps`) batches of (noisy, clean) spectra, complex64 [batch, frames, bins].

    Batch k depends on (seed, k) alone: `start_step` = k yields what an uninterrupted run would have yielded from k on.
    The map is sequential, as tfio's readers must be; prefetching overlaps it with the training step.

    Args:
        speech: crops of `speech_samples(data, frontend)`.
        noise: crops of segment_s.
        rir: room impulse responses, or None.
    """
    last = tf.int64.max if steps is None else start_step + steps

    @tf.autograph.experimental.do_not_convert
    def mix(step: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        batch_seed = tf.stack([tf.constant(seed, tf.int64), step])
        return mixture_batch(speech, noise, rir, data, frontend, batch=batch, seed=batch_seed)

    return tf.data.Dataset.range(start_step, last).map(mix).prefetch(2)


def speech_samples(data: DataConfig, frontend: FrontEndConfig) -> int:
    """Length of the speech crops: enough for the fastest speed change."""
    return speed_source_samples(round(data.segment_s * frontend.sample_rate))


def active_power(frame_power: tf.Tensor) -> tf.Tensor:
    """Mean power of the active frames, [count, frames] to [count].

    A frame is active if it lies within 35 dB of the 95th percentile.
    """
    frames = frame_power.shape[-1]
    rank = max(1, frames - math.ceil(ACTIVE_PERCENTILE * frames) + 1)
    loud = tf.math.top_k(frame_power, rank).values[:, -1:]
    active = tf.cast(frame_power > loud * 10.0 ** (-ACTIVE_RANGE_DB / 10.0), tf.float32)
    return tf.math.divide_no_nan(tf.reduce_sum(frame_power * active, -1), tf.reduce_sum(active, -1))


def _noise_waveforms(
    speech: ClipStore,
    speakers: tf.Tensor,
    noise: ClipStore,
    data: DataConfig,
    draws: Draws,
    samples: int,
    sample_rate: int,
) -> tf.Tensor:
    """One noise [batch, samples] per example: recorded, babble or synthetic, at times with a second."""
    sound, _ = noise.draw(draws.fraction(), draws.fraction())
    kind = draws.fraction()
    babble = data.babble if speech.speakers > VOICES[0] else 0.0
    rows = tf.where(kind < babble)
    sound = tf.cond(
        tf.size(rows) > 0,
        lambda: tf.tensor_scatter_nd_update(
            sound,
            rows,
            _babble(speech, tf.gather_nd(speakers, rows), draws.child(1, tf.shape(rows)[0]))[
                :, :samples
            ],
        ),
        lambda: sound,
    )
    made = tf.where((kind >= babble) & (kind < babble + data.synthetic))
    sound = tf.cond(
        tf.size(made) > 0,
        lambda: tf.tensor_scatter_nd_update(
            sound,
            made,
            synthetic_noise(draws.child(2, tf.shape(made)[0]), samples, sample_rate),
        ),
        lambda: sound,
    )
    second = tf.where(draws.chance(data.second_noise))
    ratio = draws.uniform(*SECOND_NOISE_DB)

    def add_second() -> tf.Tensor:
        more = draws.child(3, tf.shape(second)[0])
        other, _ = noise.draw(more.fraction(), more.fraction())
        gain = tf.math.divide_no_nan(_rms(tf.gather_nd(sound, second)), _rms(other))
        gain *= 10.0 ** (tf.gather_nd(ratio, second)[:, tf.newaxis] / 20.0)
        return tf.tensor_scatter_nd_add(sound, second, gain * other)

    return tf.cond(tf.size(second) > 0, add_second, lambda: sound)


def _babble(speech: ClipStore, speakers: tf.Tensor, draws: Draws) -> tf.Tensor:
    """Three to eight other speakers at once, [count, samples]."""
    most = VOICES[1]
    which = tf.reshape(draws.fraction(most), [-1])
    voices, who = speech.draw(which, tf.reshape(draws.fraction(most), [-1]))
    voices = tf.reshape(voices, [-1, most, speech.samples])  # [count, voices, samples]
    number = tf.floor(draws.uniform(VOICES[0], VOICES[1] + 1))[:, tf.newaxis]
    other = tf.reshape(who, [-1, most]) != speakers[:, tf.newaxis]
    talking = other & (tf.range(most, dtype=tf.float32)[tf.newaxis] < number)
    gain = tf.cast(talking, tf.float32) * 10.0 ** (draws.uniform(-VOICE_DB, VOICE_DB, most) / 20.0)
    gain = tf.math.divide_no_nan(gain, _rms(voices)[..., 0])
    return tf.einsum("cvs,cv->cs", voices, gain)


def _rms(waveforms: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(waveforms), axis=-1, keepdims=True))


def _as_floats(spectra: tf.Tensor) -> tf.Tensor:
    """complex64 [..., bins] to float32 [..., 2 bins], real and imaginary parts interleaved."""
    pairs = tf.bitcast(spectra, tf.float32)  # [..., bins, 2]
    return tf.reshape(pairs, [-1, spectra.shape[1], 2 * spectra.shape[2]])


def _as_spectra(parts: tf.Tensor) -> tf.Tensor:
    """float32 [..., 2 bins] back to complex64 [..., bins]."""
    shape = [parts.shape[0], parts.shape[1], parts.shape[2] // 2]
    return tf.bitcast(tf.reshape(parts, [*shape, 2]), tf.complex64)


def _frame_power(squares: tf.Tensor, gain: tf.Tensor, frontend: FrontEndConfig) -> tf.Tensor:
    """Mean power per sample of each frame, [count, frames], from squared parts and a gain per bin.

    By Parseval's theorem; the squared windows of all frames sum to one, so the frames' powers add up to the signal's.
    """
    both_sides = np.full(2 * frontend.bins, 2.0, np.float32)
    both_sides[[0, 1, -2, -1]] = 1.0  # DC and Nyquist have no mirror image
    both_sides /= frontend.window * frontend.hop
    weights = tf.square(gain) * both_sides  # [count, 1, 2 bins]
    return tf.linalg.matvec(squares, weights[:, 0])


def _gain_to(level_db: tf.Tensor, power: tf.Tensor) -> tf.Tensor:
    """Gain that brings a power to a level in dB; 0 for silence."""
    audible = tf.cast(power > SILENT_POWER, tf.float32)
    return audible * 10.0 ** (level_db / 20.0) * tf.math.rsqrt(tf.maximum(power, SILENT_POWER))


def _random_equaliser(draws: Draws, tilt_db: float, frontend: FrontEndConfig) -> tf.Tensor:
    """Smooth random gains [batch, 1, 2 bins] within +-tilt_db: a tilt and finer ripples over ERB-rate."""
    hz = np.arange(frontend.bins) * frontend.sample_rate / frontend.window
    place = erb_rate(hz) / erb_rate(frontend.sample_rate / 2)
    orders = np.arange(1, TILT_SHAPES + 1)
    shapes = (
        np.cos(np.pi * orders[:, None] * place)
        / 2.0 ** np.minimum(orders, TILT_SHAPES - 1)[:, None]
    )
    weights = draws.uniform(-tilt_db, tilt_db, TILT_SHAPES)
    decibels = tf.matmul(weights, np.repeat(shapes, 2, axis=1).astype(np.float32))
    return 10.0 ** (decibels[:, tf.newaxis] / 20.0)


def _band_limit(draws: Draws, frontend: FrontEndConfig) -> tf.Tensor:
    """Gains [batch, 1, 2 bins] of a device's low-pass; all ones for most examples."""
    edge = draws.uniform(0.4, 0.9)  # of Nyquist
    edge = tf.where(draws.chance(BAND_LIMITED), edge, 2.0)[:, tf.newaxis, tf.newaxis]
    place = np.repeat(np.linspace(0.0, 1.0, frontend.bins, dtype=np.float32), 2)
    # 0 dB up to the edge, then 60 dB down over a tenth of the band.
    return 10.0 ** (-3.0 * tf.clip_by_value((place - edge) / 0.1, 0.0, 1.0))


def _moving_gain(draws: Draws, frames: int, frontend: FrontEndConfig) -> tf.Tensor:
    """A slowly wandering gain [batch, frames, 1] of the noise; constant for most examples."""
    time_s = tf.range(frames, dtype=tf.float32)[tf.newaxis] * frontend.hop / frontend.sample_rate
    depth = tf.where(draws.chance(MOVING_NOISE), draws.uniform(2.0, MOVING_NOISE_DB), 0.0)
    decibels = tf.zeros_like(time_s)
    for _ in range(2):
        angle = 2.0 * math.pi * draws.log_uniform(0.15, 2.0)[:, tf.newaxis] * time_s
        decibels += 0.5 * tf.sin(angle + draws.uniform(0.0, 2.0 * math.pi)[:, tf.newaxis])
    return (10.0 ** (decibels * depth[:, tf.newaxis] / 20.0))[..., tf.newaxis]
