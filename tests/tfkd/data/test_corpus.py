"""Clips, speakers, splits, and what is said about folders and files that cannot be used."""

import os

import numpy as np
import pytest
import soundfile

from tfkd.data.corpus import EXTENSIONS, find_recordings, read_clip, read_corpus, split_by_speaker
from tfkd.errors import AudioError, CorpusError


def write(path, seconds=0.5, rate=16000, channels=1, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(0).standard_normal((round(seconds * rate), channels))
    soundfile.write(path, 0.1 * noise, rate, **options)
    return path


def names(clips):
    return sorted(clip.path.stem for clip in clips)


@pytest.mark.parametrize("valid", ["valid", "validation"])
def test_sub_folders_are_the_split_and_test_is_left_alone(tmp_path, valid):
    write(tmp_path / "train" / "anna" / "deep" / "a.wav")
    write(tmp_path / "train" / "b.flac")
    write(tmp_path / valid / "c.wav")
    write(tmp_path / "test" / "d.wav")
    corpus = read_corpus(tmp_path)
    assert names(corpus.train) == ["a", "b"]
    assert names(corpus.valid) == ["c"]
    assert {clip.speaker for clip in corpus.train} == {"anna", "b.flac"}


def test_train_alone_is_split(tmp_path):
    for speaker in "abcd":
        write(tmp_path / "train" / speaker / "1.wav")
        write(tmp_path / "train" / speaker / "2.wav")
    corpus = read_corpus(tmp_path, valid_fraction=0.25)
    assert len(corpus.valid) == 2
    assert not {c.speaker for c in corpus.train} & {c.speaker for c in corpus.valid}


def test_manifest_above_the_folder_gives_split_and_speaker(tmp_path):
    for name in "abcd":
        write(tmp_path / "corpus" / "speech" / f"{name}.wav")
    (tmp_path / "corpus" / "manifest.csv").write_text(
        "path,split,kind,speaker_or_class\n"
        "speech/a.wav,train,speech,anna\n"
        "speech/b.wav,valid,speech,ben\n"
        "speech/c.wav,test,speech,cleo\n"
    )
    corpus = read_corpus(tmp_path / "corpus" / "speech")
    assert [(c.path.stem, c.speaker) for c in corpus.train] == [("a", "anna"), ("d", "d.wav")]
    assert [(c.path.stem, c.speaker) for c in corpus.valid] == [("b", "ben")]


def test_manifest_of_speakers_keeps_them_apart(tmp_path):
    rows = ["path,speaker"]
    for index in range(12):
        write(tmp_path / f"{index:02}.wav")
        rows.append(f"{index:02}.wav,speaker{index % 4}")
    (tmp_path / "manifest.csv").write_text("\n".join(rows))
    corpus = read_corpus(tmp_path, valid_fraction=0.2, seed=1)
    assert len(corpus.valid) == 3  # one of four speakers
    assert len({clip.speaker for clip in corpus.valid}) == 1
    assert {clip.speaker for clip in corpus.train} == {f"speaker{index}" for index in range(4)} - {
        corpus.valid[0].speaker
    }


def test_manifest_without_paths(tmp_path):
    write(tmp_path / "a.wav")
    (tmp_path / "manifest.csv").write_text("file,speaker\na.wav,anna\n")
    with pytest.raises(CorpusError, match=r"manifest.csv: lacks the columns path.*file, speaker"):
        read_corpus(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"speaker,path\nanna,a.wav\nben\n", "row 2 names no recording"),
        ("path,speaker\na.wav,Zoë\n".encode("latin-1"), "is not a CSV in UTF-8"),
    ],
)
def test_manifest_that_cannot_be_read(tmp_path, content, message):
    write(tmp_path / "a.wav")
    (tmp_path / "manifest.csv").write_bytes(content)
    with pytest.raises(CorpusError, match=f"manifest.csv: {message}"):
        read_corpus(tmp_path)


def test_manifest_without_training_files(tmp_path):
    write(tmp_path / "a.wav")
    (tmp_path / "manifest.csv").write_text("path,split\na.wav,test\n")
    with pytest.raises(CorpusError, match=r"no recording .* to the split 'train'.*'test': 1"):
        read_corpus(tmp_path)


def test_seeded_split(tmp_path):
    for index in range(20):
        write(tmp_path / f"{index:02}.wav", seconds=0.05)
    first = read_corpus(tmp_path, valid_fraction=0.2, seed=3)
    assert first == read_corpus(tmp_path, valid_fraction=0.2, seed=3)
    assert names(first.valid) != names(read_corpus(tmp_path, valid_fraction=0.2, seed=4).valid)
    assert len(first.valid) == 4
    assert sorted(names(first.train) + names(first.valid)) == [f"{i:02}" for i in range(20)]


def test_one_speaker_is_split_by_file(tmp_path):
    clips = [read_clip(write(tmp_path / f"{index}.wav"), "anna") for index in range(4)]
    train, valid = split_by_speaker(clips, 0.25, 0)
    assert (len(train), len(valid)) == (3, 1)


def test_one_recording_is_split_in_time(tmp_path):
    write(tmp_path / "fan.wav", 12.0)
    corpus = read_corpus(tmp_path, valid_fraction=0.25)
    [train], [valid] = corpus.train, corpus.valid
    assert (train.path, train.speaker) == (valid.path, valid.speaker)
    assert (train.first_frame, train.frames) == (0, 9 * train.sample_rate)
    assert (valid.first_frame, valid.frames) == (train.frames, 3 * valid.sample_rate)


def test_one_short_recording_cannot_be_split(tmp_path):
    write(tmp_path / "only.wav")
    with pytest.raises(CorpusError, match=r"One recording of .* s cannot be split.*only\.wav"):
        read_corpus(tmp_path)


def test_headers(tmp_path):
    clip = read_clip(write(tmp_path / "a.wav", 0.25, 48000, 2, subtype="PCM_U8"), "anna")
    assert (clip.seconds, clip.sample_rate, clip.channels) == (0.25, 48000, 2)
    assert (clip.subtype, clip.speaker, clip.frames) == ("PCM_U8", "anna", 12000)


def test_hidden_files_and_folders_are_left_alone(tmp_path):
    write(tmp_path / ".trash" / "a.wav")
    write(tmp_path / "b.wav")
    write(tmp_path / "._b.wav")
    assert find_recordings(tmp_path) == ([tmp_path / "b.wav"], [])


def test_name_that_is_not_utf_8(tmp_path):
    path = write(tmp_path / "a.wav").rename(tmp_path / os.fsdecode(b"Zo\xeb.wav"))
    with pytest.raises(AudioError, match=r"Zo\\xeb\.wav: its name is not UTF-8"):
        read_clip(path)


def test_missing_folder(tmp_path):
    with pytest.raises(CorpusError, match=r"nowhere does not exist"):
        read_corpus(tmp_path / "nowhere")


def test_file_instead_of_folder(tmp_path):
    with pytest.raises(CorpusError, match=r"a\.wav is a file; a folder"):
        read_corpus(write(tmp_path / "a.wav"))


def test_empty_folder(tmp_path):
    with pytest.raises(CorpusError, match=r"No recordings under .*\.wav, \.flac, \.ogg.*0 files"):
        read_corpus(tmp_path)


@pytest.mark.parametrize("folder", ["train", "valid"])
def test_empty_split_folder(tmp_path, folder):
    (tmp_path / folder).mkdir()
    write(tmp_path / {"train": "valid", "valid": "train"}[folder] / "a.wav")
    with pytest.raises(CorpusError, match=rf"No recordings in the .*{folder}"):
        read_corpus(tmp_path)


def test_other_formats_are_named(tmp_path):
    (tmp_path / "a.mp3").write_bytes(b"ID3")
    with pytest.raises(CorpusError, match=r"only \.mp3 \(1 files\).*convert them to FLAC"):
        read_corpus(tmp_path)
    write(tmp_path / "b.wav")
    write(tmp_path / "c.wav")
    assert [path.name for path in read_corpus(tmp_path).skipped] == ["a.mp3"]


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_no_audio_inside(tmp_path, extension):
    path = tmp_path / f"note{extension}"
    path.write_text("not a recording")
    with pytest.raises(AudioError, match=r"note\..* cannot be read as audio"):
        read_clip(path)


@pytest.mark.parametrize("name", ["half.wav", "half.flac"])
def test_truncated(tmp_path, name):
    path = write(tmp_path / name, seconds=3)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(AudioError, match=r"half\.\w+ (is truncated|cannot be read)"):
        read_clip(path)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e37])
def test_no_usable_number(tmp_path, bad):
    samples = np.zeros(4000, np.float32)
    samples[3999] = bad
    soundfile.write(tmp_path / "bad.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match=r"bad\.wav holds samples that are NaN"):
        read_clip(tmp_path / "bad.wav")


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "none.wav", np.zeros(0), 16000)
    with pytest.raises(AudioError, match=r"none\.wav holds no audio"):
        read_clip(tmp_path / "none.wav")


def test_encoding_that_is_not_decoded(tmp_path):
    with pytest.raises(AudioError, match=r"d\.wav has an encoding.*Received: WAV DOUBLE"):
        read_clip(write(tmp_path / "d.wav", subtype="DOUBLE"))


def test_all_recordings_that_cannot_be_used_are_named(tmp_path):
    for index in range(3):
        write(tmp_path / f"good{index}.wav")
    (tmp_path / "bad0.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match=r"^.*bad0\.wav cannot be read as audio"):
        read_corpus(tmp_path)
    for index in range(1, 12):
        (tmp_path / f"bad{index}.wav").write_bytes(b"RIFF")
    with pytest.raises(AudioError, match="^12 recordings cannot be used:\n") as caught:
        read_corpus(tmp_path)
    lines = str(caught.value).splitlines()
    assert len(lines) == 12 and lines[-1].startswith("  and 2 more; `tfkd data check")
