from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tfkd import audio
from tfkd.data import demo
from tfkd.data.demo_noise import FAMILIES, SAMPLE_RATE, noise
from tfkd.errors import CorpusError


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> demo.DemoCorpus:
    return demo.demo_corpus(tmp_path_factory.mktemp("cache") / "demo")


def voices(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.rglob("*.ogg")}


def test_the_speech_is_long_varied_and_small():
    files = sorted(demo.SPEECH.rglob("*.ogg"))
    infos = [soundfile.info(path) for path in files]
    assert {(info.samplerate, info.channels) for info in infos} == {(SAMPLE_RATE, 1)}
    assert sum(info.duration for info in infos) >= 6 * 60
    assert sum(path.stat().st_size for path in files) <= 5_000_000
    assert len(voices(demo.SPEECH / "speech")) >= 8


def test_no_voice_is_in_two_splits():
    train, valid, held_out = (
        voices(demo.SPEECH / name) for name in ("speech/train", "speech/valid", "held_out")
    )
    assert not train & valid
    assert not (train | valid) & held_out


@pytest.mark.parametrize("family", FAMILIES)
def test_noise_is_reproducible_finite_and_at_its_level(family):
    first = noise(family, seed=7, seconds=1.5)
    np.testing.assert_array_equal(first, noise(family, seed=7, seconds=1.5))
    assert not np.array_equal(first, noise(family, seed=8, seconds=1.5))
    assert first.shape == (24_000,)
    assert np.isfinite(first).all()
    assert np.abs(first).max() <= 0.95
    assert 0.005 < first.std() < 0.0501


def test_the_noise_has_train_and_valid_recordings_of_every_family(corpus):
    for split, (recordings, seconds) in demo.SPLITS.items():
        files = audio.audio_files(corpus.noise / split)
        assert len(files) == recordings * len(FAMILIES)
        assert {soundfile.info(path).frames for path in files} == {int(seconds * SAMPLE_RATE)}


def test_pairs_have_the_snr_of_their_name(corpus):
    names = [path.name for path in audio.audio_files(corpus.noisy)]
    assert names == [path.name for path in audio.audio_files(corpus.clean)]
    assert len(names) == 16
    for name in names:
        noisy = audio.read_mono(corpus.noisy / name, SAMPLE_RATE)
        clean = audio.read_mono(corpus.clean / name, SAMPLE_RATE)
        ratio = demo.active_power(clean) / np.mean(np.square(noisy - clean, dtype=np.float64))
        assert 10 * np.log10(ratio) == pytest.approx(float(name[3:5]), abs=0.1)


def test_active_power_leaves_out_silence():
    tone = np.sin(2 * np.pi * 440 * np.arange(16_000) / 16_000).astype(np.float32)
    assert demo.active_power(np.concatenate([tone, 0 * tone])) == pytest.approx(0.5, rel=1e-3)


def test_a_second_call_reuses_the_first(corpus):
    folder = corpus.noise.parent
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    assert demo.demo_corpus(folder) == corpus
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_the_cache_is_the_user_s(monkeypatch, tmp_path, corpus):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(demo, "_write_noise", lambda folder: folder.mkdir())
    monkeypatch.setattr(demo, "_write_pairs", lambda folder: folder.mkdir())
    made = demo.demo_corpus()
    assert made.noise.is_dir()
    assert made.noise.parent.parent == tmp_path / "tfkd"


def test_an_interrupted_call_leaves_nothing(monkeypatch, tmp_path):
    def interrupted(folder: Path) -> None:
        folder.mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "_write_noise", interrupted)
    with pytest.raises(KeyboardInterrupt):
        demo.demo_corpus(tmp_path / "demo")
    assert os.listdir(tmp_path) == []


def test_an_empty_folder_is_filled_and_another_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(demo, "_write_noise", lambda folder: folder.mkdir())
    monkeypatch.setattr(demo, "_write_pairs", lambda folder: folder.mkdir())
    (tmp_path / "empty").mkdir()
    assert demo.demo_corpus(tmp_path / "empty").noise.is_dir()
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "thesis.tex").write_text("mine")
    with pytest.raises(CorpusError, match=r"taken: holds something else .* an empty folder"):
        demo.demo_corpus(tmp_path / "taken")


def test_an_unwritable_cache_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(CorpusError, match=r"file/demo: the demo corpus cannot be written"):
        demo.demo_corpus(tmp_path / "file" / "demo")
