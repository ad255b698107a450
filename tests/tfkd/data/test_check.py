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
    assert report.channels == {1: 3}
    assert report.split_seconds == {"train": 3.0, "valid": 3.0}
    assert not (report.errors or report.clipped or report.silent or report.duplicates)
    assert report.shared_speakers == {}


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
    assert report.channels == {1: 7, 2: 1}
    assert report.shared_speakers == {("train", "valid"): ("ann",)}


def test_speakers_shared_with_the_test_split(corpus, run_tfkd):
    for name in ("bob", "cid", "eva"):
        (corpus / "test" / name).mkdir(parents=True)
        soundfile.write(corpus / "test" / name / "1.wav", voice(0.3), 16000)
    report = check_corpus(corpus)
    assert report.split_seconds["test"] == pytest.approx(0.9)
    assert report.shared_speakers == {("train", "test"): ("bob",), ("valid", "test"): ("cid",)}
    text = run_tfkd("data", "check", corpus).stdout
    assert "speakers, or kinds of noise, in both valid and test: cid\n" in text


def test_the_manifest_names_speakers_and_splits(tmp_path):
    for name in ("a", "b", "c"):
        soundfile.write(tmp_path / f"{name}.wav", voice(0.3), 16000)
    rows = "path,split,speaker\na.wav,train,ann\nb.wav,valid,bob\nc.wav,test,ann\n"
    (tmp_path / "manifest.csv").write_text(rows)
    report = check_corpus(tmp_path)
    assert set(report.split_seconds) == {"train", "valid", "test"}
    assert report.shared_speakers == {("train", "test"): ("ann",)}


def test_text_and_json_name_every_finding(corpus, run_tfkd):
    soundfile.write(corpus / "train/ann/silent.wav", np.zeros((8000, 2)), 8000)
    soundfile.write(corpus / "train/ann/loud.wav", np.clip(9 * voice(1.0), -1, 1), 16000)
    soundfile.write(corpus / "train/bob/again.wav", voice(1.0), 16000)
    (corpus / "train/bob/other.mp3").write_bytes(b"ID3")
    lines = run_tfkd("data", "check", corpus).stdout.splitlines()
    assert lines[:3] == [
        "6 recordings, 0.00 h",
        "sample rates: 5 at 16000 Hz, 1 at 8000 Hz",
        "channels: 5 of 1, 1 of 2",
    ]
    assert lines[5:] == [
        f"clipped: 1: {corpus}/train/ann/loud.wav",
        f"silent: 1: {corpus}/train/ann/silent.wav",
        f"not decodable: 1: {corpus}/train/bob/other.mp3",
        f"same samples: {corpus}/train/ann/1.wav, {corpus}/train/bob/again.wav",
    ]
    report = json.loads(run_tfkd("data", "check", corpus, "--json").stdout)
    assert report["sample_rates"] == {"16000": 5, "8000": 1}
    assert report["channels"] == {"1": 5, "2": 1}
    assert [len(report[key]) for key in ("clipped", "silent", "skipped", "duplicates")] == [1] * 4


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
