"""Live denoising between ends of our own, and between files."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile
from conftest import noisy_voice

from tfkd import audio
from tfkd.engines.choice import engine_factory
from tfkd.enhance import Enhancer, enhance
from tfkd.errors import AudioError
from tfkd.live import SILENCE_DBFS, FileSource, Live, LiveStatistics, level_dbfs, recording

HOP = 256


@pytest.fixture
def engine(gate):
    return engine_factory("firmware-ref", gate)()


class Ends:
    """Both ends of a line: noisy samples come, what is heard is kept, losses happen on demand."""

    latency_ms = 5.0

    def __init__(self, samples, overflows=(), underruns=()):
        self.samples, self.overflows, self.underruns = samples, overflows, underruns
        self.heard: list[np.ndarray] = []

    def read(self, samples):
        start = len(self.heard) * samples
        block = self.samples[start : start + samples]
        return (block if len(block) else None), len(self.heard) in self.overflows

    def write(self, samples):
        self.heard.append(samples)
        return len(self.heard) - 1 in self.underruns


@pytest.fixture
def noisy():
    return noisy_voice(1.0)[: 60 * HOP, 0]


def expected(engine, noisy):
    """The same samples enhanced in one piece: one hop late."""
    return Enhancer(engine).process(noisy)


def test_hop_by_hop_is_what_the_whole_is(engine, noisy):
    ends = Ends(noisy)
    Live(engine, ends, ends).run()
    np.testing.assert_allclose(np.concatenate(ends.heard), expected(engine, noisy), atol=1e-6)


def test_bypass_is_the_noisy_signal_with_the_same_delay(engine, noisy):
    ends = Ends(noisy)
    live = Live(engine, ends, ends)
    live.bypass = True
    live.run()
    delayed = np.concatenate([np.zeros(HOP, np.float32), noisy[:-HOP]])
    heard = np.concatenate(ends.heard)
    np.testing.assert_allclose(heard[HOP:], delayed[HOP:], atol=1e-6)


def test_switching_fades_over_one_hop(engine, noisy):
    ends = Ends(noisy)
    live = Live(engine, ends, ends)

    def watch(levels):
        live.bypass = 10 <= live.statistics.hops < 20
        return True

    live.run(watch=watch)
    enhanced = expected(engine, noisy).reshape(-1, HOP)
    delayed = np.concatenate([np.zeros(HOP, np.float32), noisy[:-HOP]]).reshape(-1, HOP)
    rising = np.linspace(0, 1, HOP)
    heard = np.stack(ends.heard)
    np.testing.assert_allclose(heard[:10], enhanced[:10], atol=1e-6)
    np.testing.assert_allclose(
        heard[10], enhanced[10] * (1 - rising) + delayed[10] * rising, atol=1e-6
    )
    np.testing.assert_allclose(heard[11:20], delayed[11:20], atol=1e-6)
    np.testing.assert_allclose(heard[21:], enhanced[21:], atol=1e-6)


def test_losses_and_time_are_counted(engine, noisy):
    ends = Ends(noisy, overflows=(3, 4), underruns=(7,))
    live = Live(engine, ends, ends)
    live.run(hops=20)
    counts = live.statistics
    assert (counts.hops, counts.overflows, counts.underruns) == (20, 2, 1)
    assert 0.0 < counts.mean_ms <= counts.longest_ms
    assert live.latency_ms == {"algorithm": 32.0, "input": 5.0, "output": 5.0}


def test_late_hops():
    counts = LiveStatistics()
    assert counts.mean_ms == 0.0
    for compute_ms in (1.0, 17.0, 3.0):
        counts.count(compute_ms, 16.0, overflowed=False, underrun=False)
    assert (counts.late_hops, counts.longest_ms, counts.mean_ms) == (1, 17.0, 7.0)


def test_the_watcher_stops_it_and_sees_the_levels(engine, noisy):
    ends = Ends(noisy)
    seen = []

    def watch(levels):
        seen.append(levels.noisy_dbfs)
        return len(seen) < 5

    Live(engine, ends, ends).run(watch=watch)
    assert seen == [level_dbfs(noisy[i * HOP : (i + 1) * HOP]) for i in range(5)]


def test_levels():
    assert level_dbfs(np.zeros(4, np.float32)) == SILENCE_DBFS
    assert level_dbfs(np.full(4, 1e-9, np.float32)) == SILENCE_DBFS
    assert level_dbfs(np.array([1, -1], np.float32)) == 0.0
    assert level_dbfs(np.array([0.1, -0.1], np.float32)) == pytest.approx(-20.0)


@pytest.mark.parametrize("samples", [100, HOP, 5 * HOP, 5 * HOP + 1])
def test_file_to_file_holds_everything(engine, tmp_path, samples):
    noisy = noisy_voice(1.0)[:samples, 0]
    soundfile.write(tmp_path / "in.wav", noisy, 16000, subtype="FLOAT")
    with recording(tmp_path / "out.wav", 16000) as sink:
        Live(engine, FileSource(tmp_path / "in.wav", 16000), sink).run()
    heard, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert len(heard) == -(-samples // HOP) * HOP + HOP
    np.testing.assert_allclose(heard[HOP : HOP + samples], enhance(engine, noisy), atol=1e-4)


def test_a_file_of_another_rate_and_channels(engine, tmp_path):
    stereo = np.random.default_rng(0).normal(0, 0.1, (44100, 2))
    soundfile.write(tmp_path / "in.flac", stereo, 44100)
    source = FileSource(tmp_path / "in.flac", 16000)
    block, lost = source.read(HOP)
    assert not lost
    mono = audio.read_mono(tmp_path / "in.flac", 16000)
    np.testing.assert_array_equal(block, mono[:HOP])


def test_a_failed_output_leaves_nothing(engine, tmp_path):
    with pytest.raises(AudioError, match="cannot write this format"):
        with recording(tmp_path / "out.mp3", 16000):
            pass
    assert not list(tmp_path.iterdir())
