import math

import numpy as np
import pytest
from conftest import noisy_voice, voice
from hypothesis import given
from hypothesis import strategies as st

from tfkd import metrics
from tfkd.errors import TfkdError


def test_si_sdr_by_hand():
    # s = (1, -1, 1, -1), x = s + e with e = (1, 1, -1, -1) / 2: <x, s> = 4, so a = 1;
    # |a s|^2 = 4, |a s - x|^2 = 1: 10 log10(4) dB.
    clean = np.array([1, -1, 1, -1], np.float32)
    processed = clean + np.array([1, 1, -1, -1], np.float32) / 2
    assert metrics.si_sdr(clean, processed) == pytest.approx(10 * math.log10(4))


@given(scale=st.floats(0.01, 100), offset=st.floats(-1, 1))
def test_si_sdr_ignores_scale_and_offset(scale, offset):
    clean, noisy = voice(0.2)[:, 0], noisy_voice(0.2)[:, 0]
    changed = (scale * noisy + offset).astype(np.float32)
    assert metrics.si_sdr(clean, changed) == pytest.approx(metrics.si_sdr(clean, noisy), abs=0.01)


def test_si_sdr_of_copies_and_silence():
    clean = np.array([1, -1, 1, -1], np.float32)
    assert metrics.si_sdr(clean, clean) == math.inf
    assert math.isnan(metrics.si_sdr(clean, np.zeros(4, np.float32)))
    assert math.isnan(metrics.si_sdr(np.zeros(4, np.float32), clean))


def test_perfect_copy_has_the_best_scores(recordings):
    from tfkd import audio

    path = sorted((recordings / "pairs" / "valid" / "clean").iterdir())[0]
    clean = audio.read_mono(path, 16000)
    scores = metrics.score(clean, clean)
    assert scores["pesq_wb"] == pytest.approx(4.644, abs=1e-3)
    assert scores["stoi"] == pytest.approx(1.0, abs=1e-6)
    assert scores["estoi"] == pytest.approx(1.0, abs=1e-6)
    assert scores["si_sdr"] == math.inf


def test_published_scores_of_the_noisy_recordings(recordings):
    """The data's own table: mean PESQ-WB 1.671, STOI 0.932, SI-SDR 13.8 dB at 15 dB."""
    from tfkd import audio

    noisy = sorted((recordings / "pairs" / "valid" / "noisy").glob("valid_snr15_*"))
    scores = [
        metrics.score(
            audio.read_mono(path.parent.parent / "clean" / path.name, 16000),
            audio.read_mono(path, 16000),
        )
        for path in noisy
    ]
    assert len(scores) == 12
    for name, expected, digits in (("pesq_wb", 1.671, 3), ("stoi", 0.932, 3), ("si_sdr", 13.8, 1)):
        mean = metrics.mean_interval(score[name] for score in scores).mean
        assert round(mean, digits) == expected


def test_more_noise_scores_worse():
    clean = voice(3.0)[:, 0]
    good = metrics.score(clean, noisy_voice(3.0, 20.0)[:, 0])
    bad = metrics.score(clean, noisy_voice(3.0, 0.0)[:, 0])
    assert all(good[name] > bad[name] for name in metrics.METRICS)


@pytest.mark.parametrize("samples", [0, 1, 100, 3000])
def test_too_short_is_not_defined(samples):
    clean, noisy = voice(1.0)[:samples, 0], noisy_voice(1.0)[:samples, 0]
    for name in ("pesq_wb", "stoi", "estoi"):
        assert math.isnan(metrics.METRICS[name](clean, noisy))


def test_silence_is_not_defined():
    silence, noisy = np.zeros(16000, np.float32), noisy_voice(1.0)[:, 0]
    for clean, processed in ((silence, noisy), (noisy, silence), (silence, silence)):
        assert all(math.isnan(value) for value in metrics.score(clean, processed).values())


def test_lengths_must_agree():
    with pytest.raises(TfkdError, match=r"equal length.*\(4,\) and \(3,\)"):
        metrics.si_sdr(np.ones(4, np.float32), np.ones(3, np.float32))


def test_interval_by_hand():
    # 1, 2, 3, 4: mean 2.5, s = sqrt(5/3), standard error sqrt(5/12), t(0.975, 3) = 3.18245
    interval = metrics.mean_interval([1, 2, 3, 4])
    assert interval.mean == 2.5
    assert interval.standard_error == pytest.approx(math.sqrt(5 / 12))
    assert interval.half_width == pytest.approx(3.18245 * math.sqrt(5 / 12), abs=1e-5)
    assert (interval.count, interval.undefined) == (4, 0)


def test_interval_leaves_out_and_counts_what_is_not_finite():
    interval = metrics.mean_interval([1.0, math.nan, 3.0, math.inf])
    assert (interval.mean, interval.count, interval.undefined) == (2.0, 2, 2)
    alone = metrics.mean_interval([1.0])
    assert alone.mean == 1.0 and math.isnan(alone.half_width)
    assert math.isnan(metrics.mean_interval([]).mean)


def bursts(seconds):
    """Noise of 0.15 s every 0.35 s: as many utterances as PESQ's code can find."""
    rng = np.random.default_rng(5)
    clean = rng.normal(0.0, 0.1, int(16000 * seconds)).astype(np.float32)
    clean[np.arange(len(clean)) % 5600 >= 2400] *= 1e-4
    return clean, clean + rng.normal(0.0, 0.01, len(clean)).astype(np.float32)


def test_a_long_recording_is_scored_in_stretches():
    clean, noisy = bursts(40.0)  # 114 utterances at once would crash
    stretches = zip(np.array_split(clean, 3), np.array_split(noisy, 3), strict=True)
    scores = [metrics.pesq_wb(*pair) for pair in stretches]
    assert metrics.pesq_wb(clean, noisy) == pytest.approx(np.mean(scores), abs=1e-12)


def test_stretches_without_speech_are_left_out():
    clean, noisy = bursts(12.0)
    quiet = np.zeros_like(clean)
    longer = metrics.pesq_wb(np.concatenate([clean, quiet]), np.concatenate([noisy, quiet]))
    assert longer == pytest.approx(metrics.pesq_wb(clean, noisy), abs=1e-12)
    assert math.isnan(metrics.pesq_wb(np.tile(quiet, 2), np.tile(noisy, 2)))


def test_a_muted_stretch_of_speech_is_no_better_score():
    clean, noisy = bursts(12.0)
    muted = np.concatenate([noisy, np.zeros_like(noisy)])
    assert math.isnan(metrics.pesq_wb(np.tile(clean, 2), muted))
