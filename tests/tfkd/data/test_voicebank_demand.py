"""VoiceBank+DEMAND, as small zips of our own on a server of our own."""

from __future__ import annotations

import csv
import json
import shutil
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import voice
from file_server import serving

from tfkd import audio
from tfkd.data import voicebank_demand as module
from tfkd.data.paired import read_pairs
from tfkd.data.voicebank_demand import (
    ARCHIVES,
    BITSTREAMS,
    LOGS,
    Archive,
    fetch_voicebank_demand,
)
from tfkd.errors import AudioError, CorpusError, DownloadError

TRAIN = ["p226_001", "p226_002", "p230_001", "p230_007", "p287_003"]
TEST = ["p232_001", "p257_002"]
SMALL = tuple(
    Archive(a.name, a.bitstream, a.folder, *((2, 2) if "test" in a.name else (3, 5)))
    for a in ARCHIVES
)
WRITTEN = 4 + 10


def recording(stem: str, noisy: bool) -> np.ndarray:
    """48 kHz, a different length for each name."""
    seconds = 0.2 + int(stem[-1]) / 50
    noise = np.random.default_rng(0).normal(0.0, 0.01, (round(seconds * 48000), 1))
    return voice(seconds, 48000) + noisy * noise


def write_zip(path: Path, stems: list[str], noisy: bool) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for stem in stems:
            wav = path.with_suffix(".wav")
            soundfile.write(wav, recording(stem, noisy), 48000, subtype="PCM_16")
            zipped.write(wav, f"{path.stem}/{stem}.wav")
            zipped.writestr(f"__MACOSX/{path.stem}/._{stem}.wav", b"ghost")
            wav.unlink()


@pytest.fixture(scope="module")
def published(tmp_path_factory) -> Path:
    """The zips as the mirror holds them."""
    folder = tmp_path_factory.mktemp("published")
    for archive in SMALL:
        stems = TEST if "test" in archive.name else TRAIN
        write_zip(folder / f"{archive.name}.zip", stems, "noisy" in archive.name)
    with zipfile.ZipFile(folder / "logfiles.zip", "w") as zipped:
        zipped.writestr("log_testset.txt", "p232_001 bus 17.5\np257_002 living 2.5\n")
        zipped.writestr("log_trainset_28spk.txt", "".join(f"{stem} cafe 5\n" for stem in TRAIN))
        zipped.writestr("log_readme.txt", "file noise snr\n")
        zipped.writestr("__MACOSX/._log_testset.txt", "\0\0")
    return folder


@pytest.fixture
def server(published, tmp_path, monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setattr("tfkd.data.download.PAUSE_S", 0.0)
    shutil.copytree(published, tmp_path / "mirror")
    with serving(tmp_path / "mirror") as running:
        yield running


@pytest.fixture
def fetch(server, tmp_path):
    return lambda **options: fetch_voicebank_demand(
        tmp_path / "vbd", url=server.url, archives=SMALL, **options
    )


def rows(corpus) -> dict[str, dict[str, str]]:
    with corpus.manifest.open(newline="") as file:
        return {row["path"]: row for row in csv.DictReader(file)}


def test_the_published_archives():
    assert [(a.name, a.folder, a.speakers, a.recordings) for a in ARCHIVES] == [
        ("clean_testset_wav", "test/clean", 2, 824),
        ("noisy_testset_wav", "test/noisy", 2, 824),
        ("clean_trainset_28spk_wav", "train/clean", 28, 11572),
        ("noisy_trainset_28spk_wav", "train/noisy", 28, 11572),
    ]
    assert len({a.bitstream for a in (*ARCHIVES, LOGS)}) == 5
    address = f"{BITSTREAMS}/{ARCHIVES[0].bitstream}/content"
    assert module._address(ARCHIVES[0], None) == address
    assert module._address(LOGS, "http://mirror/vbd/") == "http://mirror/vbd/logfiles.zip"


def test_what_is_written(fetch, tmp_path):
    told: list[str] = []
    corpus = fetch(note=told.append)
    assert sorted(path.name for path in (tmp_path / "vbd").iterdir()) == [
        "manifest.csv",
        "test",
        "train",
    ]
    for folder, stems in (("train", TRAIN), ("test", TEST)):
        for side in ("noisy", "clean"):
            files = sorted((tmp_path / "vbd" / folder / side).iterdir())
            assert [path.stem for path in files] == stems
            for path in files:
                samples, rate = soundfile.read(path, dtype="int16")
                expected = audio.resample(recording(path.stem, side == "noisy"), 48000, 16000)
                assert rate == 16000 and samples.shape == (len(expected),)
                np.testing.assert_allclose(samples / 32768, expected[:, 0], atol=2 / 32768)
    assert len(told) == 9 and told[0].startswith("fetching clean_testset_wav.zip, 0 MB, from http")
    manifest = rows(corpus)
    assert len(manifest) == WRITTEN
    assert manifest["train/noisy/p226_002.wav"] == {
        "path": "train/noisy/p226_002.wav", "split": "valid", "speaker": "p226", "snr_db": "5"
    }  # fmt: skip
    assert manifest["train/clean/p230_001.wav"]["split"] == "train"
    assert manifest["test/noisy/p232_001.wav"]["snr_db"] == "17.5"


def test_training_and_evaluation_take_it(fetch):
    from tfkd.evaluate import find_pairs

    corpus = fetch()
    noisy, clean = read_pairs(corpus.train_noisy, corpus.train_clean)
    assert {clip.speaker for clip in noisy.train} == {"p230"}
    assert {clip.speaker for clip in clean.valid} == {"p226", "p287"}
    pairs = find_pairs(corpus.test_noisy, corpus.test_clean, corpus.manifest)
    assert [pair.snr_db for pair in pairs] == [17.5, 2.5]


def test_a_second_call_fetches_nothing(fetch, server):
    corpus = fetch()
    asked = len(server.requests)
    before = corpus.manifest.stat().st_mtime_ns
    assert fetch() == corpus
    assert len(server.requests) == asked
    assert corpus.manifest.stat().st_mtime_ns == before


def test_the_zips_can_stay(fetch, server, tmp_path):
    fetch(keep_zips=True)
    kept = sorted(path.name for path in (tmp_path / "vbd/downloads").iterdir())
    assert kept == sorted(f"{archive.name}.zip" for archive in (*SMALL, LOGS))


def test_zips_that_are_there_need_no_network(fetch, server, tmp_path, published):
    shutil.copytree(published, tmp_path / "vbd/downloads")
    fetch()
    assert server.requests == []


def test_broken_connections(fetch, server):
    server.drop_after, server.drops = 2000, 3
    assert len(rows(fetch())) == WRITTEN
    assert any("bytes=2000-" in request for request in server.requests)


def test_a_server_without_ranges(fetch, server):
    server.ranges = False
    server.drop_after, server.drops = 2000, 1
    assert len(rows(fetch())) == WRITTEN


def test_an_interruption_while_writing_is_continued(fetch, monkeypatch, tmp_path):
    written: list[str] = []
    write = audio.write

    def interrupted(path, *args):
        if len(written) == 8:
            raise KeyboardInterrupt
        written.append(path.name)
        write(path, *args)

    monkeypatch.setattr(audio, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch()
    assert not (tmp_path / "vbd/train/clean").exists()
    assert len(list((tmp_path / "vbd/train/.clean.partial").iterdir())) == 4
    monkeypatch.setattr(
        audio, "write", lambda path, *args: (written.append(path), write(path, *args))
    )
    assert len(rows(fetch())) == WRITTEN
    assert len(written) == WRITTEN


def test_a_damaged_zip_is_removed_and_fetched_again(fetch, server, tmp_path, published):
    name = "noisy_testset_wav.zip"
    content = bytearray((published / name).read_bytes())
    content[200] ^= 0xFF  # within the first recording
    (server.folder / name).write_bytes(content)
    with pytest.raises(CorpusError, match=rf"{name} is damaged \(.*\)\. It is removed"):
        fetch()
    assert not (tmp_path / "vbd/downloads" / name).exists()
    assert not (tmp_path / "vbd/test/noisy").exists()
    shutil.copy(published / name, server.folder)
    assert len(rows(fetch())) == WRITTEN


def test_half_a_zip(fetch, server):
    name = "clean_testset_wav.zip"
    content = (server.folder / name).read_bytes()
    (server.folder / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(CorpusError, match=r"clean_testset_wav.zip is damaged \(File is not"):
        fetch()


def test_a_page_instead_of_a_zip(fetch, server):
    (server.folder / "clean_testset_wav.zip").write_text("<!DOCTYPE html><p>Please log in")
    with pytest.raises(CorpusError, match=r"clean_testset_wav.zip is a web page, no zip\. It"):
        fetch()


@pytest.mark.parametrize(
    ("stems", "found"),
    [(TEST[:1], "1 recordings of 1"), ([*TEST, "p301_001"], "3 recordings of 3")],
)
def test_other_recordings_than_published(fetch, server, stems, found):
    write_zip(server.folder / "noisy_testset_wav.zip", stems, True)
    with pytest.raises(CorpusError, match=rf"holds {found} speakers. Expected 2 of 2"):
        fetch()


def test_other_names_on_the_two_sides(fetch, server):
    write_zip(server.folder / "noisy_testset_wav.zip", ["p232_001", "p257_003"], True)
    with pytest.raises(CorpusError, match=r"2 are in one only, the first is p257_002\.wav"):
        fetch()


def test_a_recording_that_is_none(fetch, server):
    with zipfile.ZipFile(server.folder / "clean_testset_wav.zip", "w") as zipped:
        zipped.writestr("p232_001.wav", b"words")
        zipped.writestr("p257_002.wav", b"words")
    with pytest.raises(CorpusError, match="p232_001.wav in the zip cannot be read as audio"):
        fetch()


def test_files_that_vanished_later(fetch, tmp_path):
    corpus = fetch()
    (corpus.test_clean / "p232_001.wav").unlink()
    with pytest.raises(CorpusError, match=r"test/clean holds 1 recordings .* Remove it and run"):
        fetch()


@pytest.mark.parametrize(("served", "why"), [(None, "404"), ("<p>Log in", "a web page, no zip")])
def test_without_the_logs_the_snrs_stay_empty(fetch, server, served, why):
    logs = server.folder / "logfiles.zip"
    logs.unlink() if served is None else logs.write_text(served)
    told: list[str] = []
    corpus = fetch(note=told.append)
    assert told[-1].startswith("The SNRs of the pairs stay unknown") and why in told[-1]
    assert {row["snr_db"] for row in rows(corpus).values()} == {""}


def test_a_missing_file(fetch, server):
    (server.folder / "noisy_trainset_28spk_wav.zip").unlink()
    with pytest.raises(DownloadError, match="noisy_trainset_28spk_wav.zip: the server answers 404"):
        fetch()
    assert not any("GET" in request for request in server.requests)  # asked before it travels


def test_too_little_space_is_seen_before_anything_travels(fetch, server, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(10, 0, 10))
    with pytest.raises(CorpusError, match=r"0 MB are free there, about 0 MB are needed"):
        fetch()
    assert {request.split()[0] for request in server.requests} == {"HEAD"}


def test_what_is_there_needs_no_space_again(fetch, server, monkeypatch, tmp_path, published):
    """All but the last 100 bytes of each zip have arrived: only the recordings need space."""
    (tmp_path / "vbd/downloads").mkdir(parents=True)
    sizes = []
    for archive in SMALL:
        content = (published / f"{archive.name}.zip").read_bytes()
        (tmp_path / f"vbd/downloads/{archive.name}.zip.partial").write_bytes(content[:-100])
        sizes.append(len(content))
    usage = namedtuple("usage", "total used free")
    free = round(0.5 * sum(sizes)) + 101
    monkeypatch.setattr(module.shutil, "disk_usage", lambda path: usage(0, 0, free))
    assert len(rows(fetch())) == WRITTEN


def test_a_disk_that_fills_up_while_writing(fetch, monkeypatch, tmp_path):
    write = audio.write

    def full(path, *args):
        if path.name == "p230_001.wav":
            raise AudioError(f"{path}: cannot be written (No space left on device).")
        write(path, *args)

    monkeypatch.setattr(audio, "write", full)
    with pytest.raises(AudioError, match="No space left"):
        fetch()
    monkeypatch.setattr(audio, "write", write)
    assert len(rows(fetch())) == WRITTEN


def test_two_at_once(fetch, tmp_path):
    def second(label, total):
        with pytest.raises(CorpusError, match="another tfkd writes there now"):
            fetch()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(progress=second)


@pytest.fixture
def small_archives(monkeypatch):
    monkeypatch.setattr(module, "ARCHIVES", SMALL)


def test_command(run_tfkd, server, tmp_path, small_archives):
    command = ("data", "voicebank-demand", tmp_path / "vbd", "--url", server.url)
    result = run_tfkd(*command)
    assert result.exit_code == 0, result.stderr
    assert f"test_noisy: {tmp_path / 'vbd/test/noisy'}\n" in result.stdout
    assert "writing" in result.stderr and "complete" not in result.stderr
    result = run_tfkd(*command, "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.data-voicebank-demand/1"
    assert report["manifest"] == str(tmp_path / "vbd/manifest.csv")
    assert "is complete" in result.stderr


def test_an_interrupted_command(run_tfkd, server, tmp_path, small_archives, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(audio, "write", interrupted)
    result = run_tfkd("data", "voicebank-demand", tmp_path / "vbd", "--url", server.url)
    assert result.exit_code == 130
    assert "Run the same command again to continue." in result.stderr


def test_command_without_a_server(run_tfkd, server, tmp_path, small_archives):
    server.status = 404
    result = run_tfkd("data", "voicebank-demand", tmp_path / "vbd", "--url", server.url)
    assert result.exit_code == 1
    assert result.stdout == "" and len(result.stderr.splitlines()) == 1
    result = run_tfkd("data", "voicebank-demand", tmp_path / "vbd", "--url", "ftp://x")
    assert result.exit_code == 2
