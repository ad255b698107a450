import numpy as np
import pytest
import soundfile
from conftest import RATE, noisy_voice, voice

from tfkd.engines.choice import engine_factory
from tfkd.enhance import enhance
from tfkd.errors import CorpusError
from tfkd.evaluate import Pair
from tfkd.report.examples import SECONDS, choose_pairs, make_examples


def pairs(*snrs: float | None) -> list[Pair]:
    return [Pair(str(i), f"{i}", f"{i}", snr) for i, snr in enumerate(snrs)]


@pytest.mark.parametrize(
    ("snrs", "chosen"),
    [
        ([0, 5, 10, 15] * 4, ["0", "5", "10", "15"]),  # another speaker of four for each SNR
        ([None] * 16, ["0", "4", "8", "12"]),
        ([0, 10, 10], ["0", "1", "2"]),
        ([3], ["0"]),
        ([-5, 0, 5, 10, 15, 20, 25], ["0", "2", "4", "6"]),
    ],
)
def test_places_are_spread_over_snrs_and_over_the_list(snrs, chosen):
    assert [pair.name for pair in choose_pairs(pairs(*snrs))] == chosen


@pytest.fixture
def engine(gate):
    return engine_factory("firmware-ref", gate)()


def one_pair(folder, seconds: float, silence: float = 0.0) -> Pair:
    quiet = np.zeros((round(silence * RATE), 1), np.float32)
    for name, signal in (("noisy", noisy_voice(seconds)), ("clean", voice(seconds))):
        soundfile.write(folder / f"{name}.wav", np.concatenate([quiet, signal]), RATE)
    return Pair("pair", folder / "noisy.wav", folder / "clean.wav", 10.0)


def test_an_excerpt_is_what_the_engine_gives_amplified(engine, tmp_path):
    (example,) = make_examples([one_pair(tmp_path, 1.0)], {"int8": engine})
    noisy, _ = soundfile.read(tmp_path / "noisy.wav", dtype="float32")
    gain = 10 ** (example.gain_db / 20)
    length = len(example.signals["int8"])
    expected = gain * enhance(engine, noisy)[:length]
    inner = slice(160, length - 160)  # without the fades of 10 ms
    np.testing.assert_allclose(example.signals["int8"][inner], expected[inner], atol=1e-5)
    assert list(example.signals) == ["noisy", "int8", "clean"]
    peaks = [np.abs(signal).max() for signal in example.signals.values()]
    assert max(peaks) == pytest.approx(0.891, abs=1e-3)  # -1 dBFS
    assert all(signal[0] == signal[-1] == 0 for signal in example.signals.values())
    assert example.masks["int8"].shape == (length // 256 + 1, 257)


def test_the_excerpt_is_where_the_speech_is(engine, tmp_path):
    (example,) = make_examples([one_pair(tmp_path, 5.0, silence=8.0)], {"int8": engine})
    assert example.seconds == SECONDS
    assert 6.7 <= example.start_s <= 8.0


def test_a_recording_of_less_than_a_hop_is_refused(engine, tmp_path):
    with pytest.raises(CorpusError, match="less than one hop of 256 samples"):
        make_examples([one_pair(tmp_path, 0.01)], {"int8": engine})
