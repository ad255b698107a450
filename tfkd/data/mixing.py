"""Random mixtures of speech and noise as a tf.data graph that yields spectra.

Speech is cropped, and at times played at another speed, put into a room or overdriven; noise is
recorded, babble of other speakers or synthetic, at times with a second noise. Levels, equalisers
and slow changes of the noise are gains on the spectra: one STFT per source.
"""

from __future__ import annotations

import tensorflow as tf

from tfkd import frontend_tf
from tfkd.config import DataConfig, FrontEndConfig
from tfkd.data import spectral
from tfkd.data.augment import change_speed, clip_peaks, convolve_rooms, speed_source_samples
from tfkd.data.decode import ClipStore
from tfkd.data.draws import Draws
from tfkd.data.rows import replace_rows
from tfkd.data.synthetic import synthetic_noise

CLEAN_SNR_DB = (40.0, 60.0)
NOISE_ONLY = 0.02  # probability of an example without speech
OVERDRIVEN = 0.04  # probability of speech that clips
OVERDRIVE_RATIO = (0.15, 0.8)  # clipping level against the peak
BAND_LIMITED = 0.25  # probability of a device or resampler that cuts highs and lows
MOVING_NOISE = 0.35  # probability that the level of the noise wanders
SECOND_NOISE_DB = (-12.0, 6.0)  # against the first
VOICES = (3, 8)  # in babble
VOICE_DB = 4.0  # their levels differ by up to twice this


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

    The level of active speech is U(level_dbfs), and the ratio of its power to the mean power of the
    noise U(snr_db), both after equalisation; `clean_fraction` of the examples have CLEAN_SNR_DB.
    The room and the overdrive of the speech belong to the clean target: the task is denoising.
    Silent crops of speech leave noise at the level it would have had.

    Args:
        speech: crops of `speech_samples(data, frontend)`.
        noise: crops of `data.segment_s`.
        rir: room impulse responses, or None.
        seed: int64 [2].
    """
    draws = Draws(seed, batch)
    samples = round(data.segment_s * frontend.sample_rate)
    voice, speakers = speech.draw(draws.fraction(), draws.fraction())
    voice = change_speed(voice, draws.chance(data.speed), draws.fraction()[0], samples)
    sound = _noise_waveforms(speech, speakers, noise, data, draws, samples, frontend.sample_rate)
    if rir is not None:
        voice = convolve_rooms(voice, draws.chance(data.reverb), rir, draws.child(1, batch))
        distant = draws.chance(0.5 * data.reverb)
        sound = convolve_rooms(sound, distant, rir, draws.child(2, batch))
    voice = clip_peaks(voice, draws.chance(OVERDRIVEN), draws.log_uniform(*OVERDRIVE_RATIO))

    voice_parts = spectral.as_floats(frontend_tf.stft(voice, frontend))  # [batch, frames, 2 bins]
    sound_parts = spectral.as_floats(frontend_tf.stft(sound, frontend))
    device = spectral.band_limit(draws, draws.chance(BAND_LIMITED), frontend)  # [batch, 2 bins]
    voice_gain = device * spectral.random_equaliser(draws, data.tilt_db, frontend)
    sound_gain = device * spectral.random_equaliser(draws, data.tilt_db, frontend)
    frames = voice_parts.shape[1]
    movement = spectral.moving_gain(draws, draws.chance(MOVING_NOISE), frames, frontend)

    speech_power = spectral.active_power(spectral.frame_power(voice_parts, voice_gain, frontend))
    sound_frames = spectral.frame_power(sound_parts, sound_gain, frontend) * movement**2
    noise_power = tf.reduce_mean(sound_frames, axis=-1)  # [batch]
    level_db = draws.uniform(*data.level_dbfs)
    almost_clean = draws.chance(data.clean_fraction)
    snr_db = tf.where(almost_clean, draws.uniform(*CLEAN_SNR_DB), draws.uniform(*data.snr_db))
    voiced = tf.cast(~draws.chance(NOISE_ONLY), tf.float32)
    voice_gain *= (voiced * spectral.gain_to(level_db, speech_power))[:, tf.newaxis]
    sound_gain *= spectral.gain_to(level_db - snr_db, noise_power)[:, tf.newaxis]

    clean = voice_parts * voice_gain[:, tf.newaxis]
    noisy = clean + sound_parts * (movement[..., tf.newaxis] * sound_gain[:, tf.newaxis])
    return spectral.as_spectra(noisy), spectral.as_spectra(clean)


def speech_samples(data: DataConfig, frontend: FrontEndConfig) -> int:
    """Length of the speech crops: enough for the highest speed."""
    return speed_source_samples(round(data.segment_s * frontend.sample_rate))


def _noise_waveforms(
    speech: ClipStore,
    speakers: tf.Tensor,
    noise: ClipStore,
    data: DataConfig,
    draws: Draws,
    samples: int,
    sample_rate: int,
) -> tf.Tensor:
    """One noise [batch, samples] per example, of any level."""
    recorded, _ = noise.draw(draws.fraction(), draws.fraction())
    kind = draws.fraction()
    babble = data.babble if speech.speakers > VOICES[0] else 0.0

    def talking(rows: tf.Tensor) -> tf.Tensor:
        others = draws.child(3, tf.shape(rows)[0])
        return _babble(speech, tf.gather_nd(speakers, rows), others)[:, :samples]

    def synthetic(rows: tf.Tensor) -> tf.Tensor:
        return synthetic_noise(draws.child(4, tf.shape(rows)[0]), samples, sample_rate)

    first = replace_rows(recorded, kind < babble, talking) if babble else recorded
    if data.synthetic:
        made = (kind >= babble) & (kind < babble + data.synthetic)
        first = replace_rows(first, made, synthetic)
    ratio_db = draws.uniform(*SECOND_NOISE_DB)

    def with_second(rows: tf.Tensor) -> tf.Tensor:
        more = draws.child(5, tf.shape(rows)[0])
        second, _ = noise.draw(more.fraction(), more.fraction())
        one = tf.gather_nd(first, rows)
        gain = tf.math.divide_no_nan(_rms(one), _rms(second))  # [count, 1]
        return one + gain * 10.0 ** (tf.gather_nd(ratio_db, rows)[:, tf.newaxis] / 20.0) * second

    return replace_rows(first, draws.chance(data.second_noise), with_second)


def _babble(speech: ClipStore, speakers: tf.Tensor, draws: Draws) -> tf.Tensor:
    """Three to eight voices at once, none of them the speaker of the row, [count, samples]."""
    most = VOICES[1]
    which, where = draws.fraction(most), draws.fraction(most)
    voices, who = speech.draw(tf.reshape(which, [-1]), tf.reshape(where, [-1]))
    voices = tf.reshape(voices, [-1, most, speech.samples])  # [count, voices, samples]
    number = tf.floor(draws.uniform(VOICES[0], most + 1))[:, tf.newaxis]
    talking = tf.range(most, dtype=tf.float32)[tf.newaxis] < number
    talking &= tf.reshape(who, [-1, most]) != speakers[:, tf.newaxis]
    gain = tf.cast(talking, tf.float32) * 10.0 ** (draws.uniform(-VOICE_DB, VOICE_DB, most) / 20.0)
    loudness = _rms(voices[..., ::16])[..., 0]  # a sixteenth of the samples tells it well enough
    gain = tf.math.divide_no_nan(gain, loudness)  # [count, voices]
    return tf.einsum("cvs,cv->cs", voices, gain)


def _rms(waveforms: tf.Tensor) -> tf.Tensor:
    return tf.sqrt(tf.reduce_mean(tf.square(waveforms), axis=-1, keepdims=True))
