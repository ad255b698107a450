"""Paired corpora: partners stay together, and what does not match is named."""

import numpy as np
import pytest
import soundfile

from tfkd.config import DataConfig, FrontEndConfig
from tfkd.data.batches import batches
from tfkd.data.decode import ClipStore
from tfkd.data.paired import paired_batch, read_pairs
from tfkd.errors import CorpusError

RATE = 16000


@pytest.fixture
def folders(tmp_path):
    """Ten pairs in which the clean signal is half the noisy one; one shorter than a crop."""
    generator = np.random.default_rng(0)
    for index in range(10):
        noisy = 0.1 * generator.standard_normal(RATE * (2 if index else 1) // 2)
        for name, waveform in (("noisy", noisy), ("clean", noisy / 2)):
            (tmp_path / name).mkdir(exist_ok=True)
            soundfile.write(tmp_path / name / f"p{index}.wav", waveform, RATE, subtype="FLOAT")
    return tmp_path / "noisy", tmp_path / "clean"


def take(folders, *, memory_bytes=1 << 24, seed=0, start_step=0, steps=2):
    corpora = read_pairs(*folders)
    data, frontend = DataConfig(segment_s=0.75), FrontEndConfig()
    stores = [
        ClipStore(
            corpus.train,
            RATE,
            samples=12000,
            short="pad",
            memory_bytes=memory_bytes,
            keep_level=True,
        )
        for corpus in corpora
    ]
    dataset = batches(
        lambda seed: paired_batch(*stores, data, frontend, batch=6, seed=seed),
        seed=seed,
        start_step=start_step,
        steps=steps,
    )
    return [(noisy.numpy(), clean.numpy()) for noisy, clean in dataset]


@pytest.mark.parametrize("memory_bytes", [0, 1 << 24])
def test_partners_are_cropped_and_scaled_together(folders, memory_bytes):
    for noisy, clean in take(folders, memory_bytes=memory_bytes):
        assert noisy.shape == (6, 48, 257)
        assert (np.abs(clean).max(axis=(1, 2)) > 0).all()
        # int16 in memory: half a step of each signal, against a level of -26 dBFS
        error = np.abs(noisy - 2 * clean).max(axis=(1, 2)) / np.abs(noisy).max(axis=(1, 2))
        assert error.max() < 1e-3


def test_seed_and_resumption(folders):
    whole = take(folders)
    np.testing.assert_array_equal(take(folders), whole)
    np.testing.assert_array_equal(take(folders, start_step=1, steps=1), whole[1:])
    assert not np.array_equal(take(folders, seed=1), whole)


def test_split_is_the_same_on_both_sides(folders):
    noisy, clean = read_pairs(*folders, valid_fraction=0.3, seed=5)
    for one, other in ((noisy.train, clean.train), (noisy.valid, clean.valid)):
        assert [clip.path.name for clip in one] == [clip.path.name for clip in other]
    assert len(noisy.valid) == 3


def test_extensions_may_differ(folders):
    noisy, clean = folders
    waveform, _ = soundfile.read(clean / "p0.wav")
    (clean / "p0.wav").unlink()
    soundfile.write(clean / "p0.flac", waveform, RATE)
    corpora = read_pairs(noisy, clean)
    assert sum(len(corpus.train + corpus.valid) for corpus in corpora) == 20


@pytest.mark.parametrize("side", [0, 1])
def test_missing_partner(folders, side):
    (folders[side] / "p3.wav").unlink()
    other = ("noisy", "clean")[side]
    with pytest.raises(CorpusError, match=rf"1 recordings have no partner .*{other}: p3\. Add"):
        read_pairs(*folders)


def test_other_length(folders):
    soundfile.write(folders[1] / "p3.wav", np.ones(1000), RATE)
    with pytest.raises(CorpusError, match=r"agree in frames.*p3.wav has 16000.*p3.wav has 1000"):
        read_pairs(*folders)


def test_other_rate(folders):
    soundfile.write(folders[1] / "p3.wav", np.ones(16000), 8000)
    with pytest.raises(CorpusError, match=r"agree in sample_rate.*has 16000.*has 8000"):
        read_pairs(*folders)


def test_a_single_pair(tmp_path):
    for name in ("noisy", "clean"):
        (tmp_path / name).mkdir()
        soundfile.write(tmp_path / name / "long.wav", np.full(11 * RATE, 0.1), RATE)
    with pytest.raises(CorpusError, match="One pair cannot be split"):
        read_pairs(tmp_path / "noisy", tmp_path / "clean")
