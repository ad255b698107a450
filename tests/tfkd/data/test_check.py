import json

import numpy as np
import pytest
import soundfile
from conftest import voice

from tfkd.data.check import check_corpus, check_recording
from tfkd.errors import CorpusError


@pytest.fixture
def corpus(tmp_path):
    """Two speakers to train, one to validate, all good."""
    for seed, name in enumerate(["train/ann/1", "train/bob/1", "valid/cid/1"]):
        path = tmp_path / f"{name}.wav"
        path.parent.mkdir(parents=True)
        soundfile.write(path, voice(1.0 + seed), 16000)
    return tmp_path


def test_good_corpus(corpus):
    done: list[float] = []
    report = check_corpus(corpus, done.append)
    assert sum(done) == 3
    assert report.hours == pytest.approx(6.0 / 3600)
    assert report.sample_rates == {16000: 3}
    assert report.split_seconds == {"train": 3.0, "valid": 3.0}
    assert not (report.errors or report.clipped or report.silent or report.duplicates)
    assert report.shared_speakers == ()


def test_everything_that_spoils_is_found(corpus):
    soundfile.write(corpus / "train/ann/silent.wav", np.zeros(8000), 16000)
    soundfile.write(corpus / "train/ann/loud.wav", np.clip(9 * voice(1.0), -1, 1), 16000)
    samples, rate = soundfile.read(corpus / "train/ann/1.wav", dtype="int16")
    soundfile.write(corpus / "valid/cid/copy.flac", samples, rate)
    soundfile.write(corpus / "train/ann/rate.wav", voice(1.0, 48000, 2), 48000)
    (corpus / "valid/ann").mkdir()
    soundfile.write(corpus / "valid/ann/2.wav", voice(0.7), 16000)
    report = check_corpus(corpus)
    assert report.errors == ()
    assert [path.name for path in report.silent] == ["silent.wav"]
    assert [path.name for path in report.clipped] == ["loud.wav"]
    assert [[path.name for path in group] for group in report.duplicates] == [
        ["1.wav", "copy.flac"]
    ]
    assert report.sample_rates == {16000: 7, 48000: 1}
    assert report.shared_speakers == ("ann",)


def test_single_samples_at_full_scale_are_no_clipping(tmp_path):
    samples = voice(0.5)
    samples[[100, 102, 104, 200, 201]] = 1.0
    soundfile.write(tmp_path / "x.wav", samples, 16000, subtype="FLOAT")
    assert not check_recording(tmp_path / "x.wav").clipped
    samples[300:303] = -1.0
    soundfile.write(tmp_path / "x.wav", samples, 16000, subtype="FLOAT")
    assert check_recording(tmp_path / "x.wav").clipped


def test_damaged_recordings_are_listed_and_exit_3(corpus, run_tfkd):
    content = (corpus / "train/ann/1.wav").read_bytes()
    (corpus / "train/bob/cut.wav").write_bytes(content[:5000])
    (corpus / "train/bob/words.wav").write_bytes(b"words")
    report = check_corpus(corpus)
    assert len(report.errors) == 2
    result = run_tfkd("data", "check", corpus)
    assert result.exit_code == 3
    assert "cut.wav: the file is truncated" in result.stderr
    assert "words.wav: cannot be read" in result.stderr
    assert "3 recordings" in result.stdout


def test_json_and_missing_folder(corpus, run_tfkd, tmp_path):
    report = json.loads(run_tfkd("data", "check", corpus, "--json").stdout)
    assert report["schema"] == "tfkd.data-check/1"
    assert (report["recordings"], report["errors"]) == (3, [])
    result = run_tfkd("data", "check", tmp_path / "none")
    assert result.exit_code == 1 and "does not exist" in result.stderr
    with pytest.raises(CorpusError):
        check_corpus(tmp_path / "none")
