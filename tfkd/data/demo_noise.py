"""Procedural noise of the demo corpus: one function per family, NumPy, reproducible by seed.

Every family is a function (rng, samples) -> float64 [samples] at SAMPLE_RATE, of any level;
`noise` brings it to one RMS.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 16_000
Signal = NDArray[np.float64]
Generator = np.random.Generator


def shaped(rng: Generator, samples: int, gain: Callable[[Signal], Signal]) -> Signal:
    """Gaussian noise with the magnitude response `gain`(frequency in Hz)."""
    frequency_hz = np.fft.rfftfreq(samples, 1.0 / SAMPLE_RATE)
    spectrum = np.fft.rfft(rng.standard_normal(samples)) * gain(frequency_hz)
    return np.fft.irfft(spectrum, samples)


def low_pass(cutoff_hz: float, order: int = 2) -> Callable[[Signal], Signal]:
    """Magnitude of a Butterworth low-pass filter."""
    return lambda hz: 1.0 / np.sqrt(1.0 + (hz / cutoff_hz) ** (2 * order))


def band_pass(centre_hz: float, octaves: float) -> Callable[[Signal], Signal]:
    """A bell over the logarithm of frequency, -4.3 dB at `octaves` from the centre."""
    return lambda hz: np.exp(-0.5 * (np.log2(np.maximum(hz, 1.0) / centre_hz) / octaves) ** 2)


def slow(rng: Generator, samples: int, rate_hz: float) -> Signal:
    """A smooth random curve with mean 0 and deviation 1, moving about `rate_hz` times a second."""
    curve = shaped(rng, samples, low_pass(rate_hz))
    return (curve - curve.mean()) / curve.std()


def harmonics(rng: Generator, phase: Signal, weights: Signal) -> Signal:
    """A sum of sines at multiples of `phase` (radians), each with its weight and a random start."""
    signal = np.zeros_like(phase)
    for order, weight in enumerate(weights, start=1):
        signal += weight * np.sin(order * phase + rng.uniform(0.0, 2 * np.pi))
    return signal


def coloured(rng: Generator, samples: int) -> Signal:
    """White to brown: power falls by 0 to 6 dB per octave."""
    slope = rng.uniform(0.0, 1.0)
    return shaped(rng, samples, lambda hz: np.maximum(hz, 30.0) ** -slope)


def fan(rng: Generator, samples: int) -> Signal:
    """Broadband air flow and the harmonics of the blades."""
    time_s = np.arange(samples) / SAMPLE_RATE
    blade_hz = rng.uniform(70.0, 240.0)
    weights = rng.uniform(0.2, 1.0, 8) / np.arange(1, 9)
    hum = harmonics(rng, 2 * np.pi * blade_hz * time_s, weights)
    air = shaped(rng, samples, band_pass(rng.uniform(250, 900), 1.6))
    return hum / np.std(hum) * rng.uniform(0.3, 1.0) + air / air.std()


def mains_hum(rng: Generator, samples: int) -> Signal:
    """50 or 60 Hz and its harmonics, over a faint hiss."""
    time_s = np.arange(samples) / SAMPLE_RATE
    mains_hz = float(rng.choice([50.0, 60.0]))
    weights = rng.uniform(0.1, 1.0, 19) / np.arange(1, 20) ** 0.7
    hum = harmonics(rng, 2 * np.pi * mains_hz * time_s, weights)
    return hum / np.std(hum) + 0.2 * rng.standard_normal(samples)


def traffic(rng: Generator, samples: int) -> Signal:
    """A rumble, and cars that pass."""
    rumble = shaped(rng, samples, lambda hz: np.maximum(hz, 40.0) ** -1.0)
    road = shaped(rng, samples, band_pass(rng.uniform(500, 1100), 1.2))
    passing = np.exp(1.2 * slow(rng, samples, 0.25))
    return rumble / rumble.std() + road / road.std() * passing / passing.mean() * 0.7


def wind(rng: Generator, samples: int) -> Signal:
    """Low-frequency gusts in a microphone."""
    gusts = np.exp(1.5 * slow(rng, samples, 0.6))
    turbulence = shaped(rng, samples, low_pass(rng.uniform(120, 400), 1))
    return gusts * turbulence


def rain(rng: Generator, samples: int) -> Signal:
    """A hiss and many drops."""
    drops = rng.standard_normal(samples) * (rng.random(samples) < rng.uniform(0.002, 0.02))
    response = np.exp(-np.arange(160) / 25.0) * np.sin(2 * np.pi * np.arange(160) * 0.17)
    hiss = shaped(rng, samples, band_pass(rng.uniform(2000, 5000), 1.0))
    return hiss / hiss.std() + np.convolve(drops, response, "same") * 4.0


def keyboard(rng: Generator, samples: int) -> Signal:
    """Key strokes: pairs of short resonant bursts, over a quiet room."""
    signal = 0.03 * shaped(rng, samples, low_pass(1500.0))
    length = SAMPLE_RATE // 25
    decay = np.exp(-np.arange(length) / (0.006 * SAMPLE_RATE))
    position = 0
    while (position := position + int(rng.gamma(3.0, 0.05) * SAMPLE_RATE)) < samples - 2 * length:
        burst = shaped(rng, length, band_pass(rng.uniform(1200, 4500), 0.8)) * decay
        signal[position : position + length] += rng.uniform(0.5, 1.5) * burst / np.abs(burst).max()
        release = position + length // 2 + int(rng.integers(length // 2))
        signal[release : release + length] += 0.4 * burst / np.abs(burst).max()
    return signal


def engine(rng: Generator, samples: int) -> Signal:
    """A motor whose speed wanders: a harmonic series with rough phases."""
    firing_hz = rng.uniform(25.0, 90.0) * np.exp(0.12 * slow(rng, samples, 0.3))
    phase = 2 * np.pi * np.cumsum(firing_hz) / SAMPLE_RATE + 0.15 * slow(rng, samples, 20.0)
    tone = harmonics(rng, phase, rng.uniform(0.3, 1.0, 30) / np.arange(1, 31) ** 0.8)
    exhaust = shaped(rng, samples, low_pass(600.0, 1))
    return tone / np.std(tone) + 0.6 * exhaust / exhaust.std()


def workshop(rng: Generator, samples: int) -> Signal:
    """Knocks of metal and wood at irregular times."""
    signal = 0.05 * shaped(rng, samples, low_pass(800.0, 1))
    length = SAMPLE_RATE // 3
    time_s = np.arange(length) / SAMPLE_RATE
    for start in rng.integers(0, samples - length, max(2, int(2.5 * samples / SAMPLE_RATE))):
        for _ in range(5):
            ring = np.sin(2 * np.pi * rng.uniform(250, 5500) * time_s)
            ring *= rng.uniform(0.1, 1.0) * np.exp(-time_s * rng.uniform(15, 90))
            signal[start : start + length] += ring
    return signal


def beeps(rng: Generator, samples: int) -> Signal:
    """Alarms and signal tones with a faint background."""
    time_s = np.arange(samples) / SAMPLE_RATE
    tone_hz = rng.uniform(500.0, 3000.0)
    gate = (time_s * rng.uniform(0.8, 4.0)) % 1.0 < rng.uniform(0.2, 0.6)
    gate = np.convolve(gate, np.hanning(161) / 80.0, "same")
    tone = np.sin(2 * np.pi * tone_hz * time_s) + 0.4 * np.sin(4 * np.pi * tone_hz * time_s)
    return gate * tone + 0.1 * shaped(rng, samples, low_pass(2000.0, 1))


def modulated(rng: Generator, samples: int) -> Signal:
    """Speech-shaped noise whose level moves at the pace of syllables."""
    noise = shaped(rng, samples, band_pass(500.0, 1.4))
    return noise * np.exp(rng.uniform(0.4, 1.0) * slow(rng, samples, rng.uniform(2.0, 6.0)))


def crowd(rng: Generator, samples: int) -> Signal:
    """Unintelligible voices: glottal pulses through vowels that change with every syllable."""
    frame = SAMPLE_RATE // 100
    starts = np.arange(0, samples - 2 * frame, frame)
    frequency_hz = np.fft.rfftfreq(4 * frame, 1.0 / SAMPLE_RATE)
    crowd = np.zeros((len(starts) + 3, frame))
    for _ in range(int(rng.integers(4, 8))):
        pitch_hz = rng.uniform(90, 230) * np.exp(0.12 * slow(rng, samples, 1.5))
        cycles = np.cumsum(pitch_hz) / SAMPLE_RATE
        source = np.diff(np.floor(cycles), prepend=0.0) + 0.03 * rng.standard_normal(samples)
        pieces = np.lib.stride_tricks.sliding_window_view(source, 2 * frame)[starts]
        vowels = np.zeros((len(starts), len(frequency_hz)))  # [frames, bins]
        for centre_hz, weight in ((500.0, 1.0), (1500.0, 0.5), (2600.0, 0.25)):
            track_hz = centre_hz * np.exp(0.25 * slow(rng, samples, 4.0)[starts, None])
            vowels += weight / (1.0 + ((frequency_hz - track_hz) / 90.0) ** 2)
        vowels *= np.exp(0.8 * slow(rng, samples, 3.5)[starts, None])
        spectra = np.fft.rfft(pieces * np.hanning(2 * frame), 4 * frame) * vowels
        spoken = np.fft.irfft(spectra, 4 * frame).reshape(-1, 4, frame)  # [frames, quarter, hop]
        voice = np.zeros_like(crowd)
        for quarter in range(4):
            voice[quarter : quarter + len(starts)] += spoken[:, quarter]
        crowd += rng.uniform(0.4, 1.0) * voice / voice.std()
    return np.resize(crowd.ravel(), samples)


FAMILIES: dict[str, Callable[[Generator, int], Signal]] = {
    family.__name__: family
    for family in (
        coloured,
        fan,
        mains_hum,
        traffic,
        wind,
        rain,
        keyboard,
        engine,
        workshop,
        beeps,
        modulated,
        crowd,
    )
}


def noise(family: str, seed: int, seconds: float, rms: float = 0.05) -> NDArray[np.float32]:
    """One recording of a family.

    Args:
        family: a key of FAMILIES.
        seed: the same seed gives the same samples.
        seconds: length.
        rms: level; reduced where a peak would pass 0.95.

    Returns:
        float32 [round(seconds * SAMPLE_RATE)] without a constant part.
    """
    signal = FAMILIES[family](np.random.default_rng(seed), round(seconds * SAMPLE_RATE))
    signal = signal - signal.mean()
    signal *= rms / signal.std()
    return np.asarray(signal * min(1.0, 0.95 / np.abs(signal).max()), dtype=np.float32)
