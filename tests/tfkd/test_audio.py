import errno
import os
import resource
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import noisy_voice, voice
from hypothesis import given
from hypothesis import strategies as st

from tfkd import audio
from tfkd.errors import AudioError


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
@pytest.mark.parametrize("channels", [1, 2, 5])
def test_write_and_read_back(tmp_path, suffix, channels):
    samples = voice(0.2, 22050, channels)
    path = tmp_path / f"x{suffix}"
    audio.write(path, samples, 22050, "PCM_16")
    read, rate = audio.read(path)
    assert rate == 22050
    assert read.shape == samples.shape
    assert np.abs(read - samples).max() <= 1 / 32768


def test_eight_bits_are_read_and_written_back_as_sixteen(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, voice(0.1), 8000, subtype="PCM_U8")
    header = audio.info(path)
    assert (header.subtype, header.written_subtype) == ("PCM_U8", "PCM_16")
    assert np.abs(audio.read(path)[0] - voice(0.1)).max() < 0.01


@pytest.mark.parametrize("suffix", [".ogg", ".mp3", ".aiff"])
def test_other_formats_are_read(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    soundfile.write(path, voice(1.0), 16000)
    samples, rate = audio.read(path)
    assert rate == 16000
    assert len(samples) >= 16000


def test_read_mono_averages_channels_at_the_wanted_rate(tmp_path):
    path = tmp_path / "x.wav"
    audio.write(path, voice(0.5, 48000, 2), 48000, "FLOAT")
    mono = audio.read_mono(path, 16000)
    assert mono.shape == (8000,)
    expected = audio.resample(voice(0.5, 48000).mean(axis=1) * 0.75, 48000, 16000)
    np.testing.assert_allclose(mono, expected, atol=1e-6)


@given(samples=st.integers(1, 5000), to_rate=st.sampled_from([8000, 11025, 44100, 48000]))
def test_resampling_keeps_duration_and_alignment(samples, to_rate):
    tone = np.sin(2 * np.pi * 200 * np.arange(samples) / 16000).astype(np.float32)
    result = audio.resample(tone, 16000, to_rate)
    assert len(result) == round(samples * to_rate / 16000)
    middle = slice(len(result) // 3, 2 * len(result) // 3)
    expected = np.sin(2 * np.pi * 200 * np.arange(len(result)) / to_rate)
    if samples > 3000:
        np.testing.assert_allclose(result[middle], expected[middle], atol=2e-3)


def write_as_latin_1(folder, stem):
    """A recording whose name has the bytes that Latin-1 gives it; its path as Python shows it."""
    name = f"{stem}.wav".encode("latin-1")
    audio.write(folder / "named.wav", np.zeros(9, np.float32), 16000)
    (folder / "named.wav").rename(folder / os.fsdecode(name))
    return folder / os.fsdecode(name)


def test_missing_file(tmp_path):
    with pytest.raises(AudioError, match=r"x\.wav: no such file"):
        audio.info(tmp_path / "x.wav")


def test_empty_file(tmp_path):
    (tmp_path / "x.wav").touch()
    with pytest.raises(AudioError, match=r"empty \(0 bytes\)"):
        audio.info(tmp_path / "x.wav")


def test_name_that_is_not_utf_8(tmp_path):
    path = write_as_latin_1(tmp_path, "Zo\xeb")
    for use in (audio.info, lambda name: audio.write(name, np.zeros(9, np.float32), 16000)):
        with pytest.raises(AudioError, match=r"Zo\\xeb\.wav: its name is not UTF-8"):
            use(path)


def test_no_samples(tmp_path):
    soundfile.write(tmp_path / "x.wav", np.zeros(0), 16000)
    with pytest.raises(AudioError, match="holds no audio"):
        audio.info(tmp_path / "x.wav")


def test_not_audio(tmp_path):
    (tmp_path / "x.wav").write_bytes(b"these are words, not sounds" * 9)
    with pytest.raises(AudioError, match="cannot be read as audio"):
        audio.info(tmp_path / "x.wav")


@pytest.mark.parametrize("suffix", [".wav", ".flac", ".ogg", ".mp3", ".aiff", ".au", ".w64"])
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_truncated_file(tmp_path, suffix, kept):
    path = tmp_path / f"x{suffix}"
    soundfile.write(path, voice(3.0), 16000)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(AudioError, match="truncated"):
        audio.read(path)


def test_an_ogg_whose_pages_end_early(tmp_path):
    """Its header tells no length: what is left sounds whole."""
    path = tmp_path / "x.ogg"
    soundfile.write(path, noisy_voice(4.0), 16000)
    content = path.read_bytes()
    last = content.rindex(b"OggS")
    assert last > len(content) // 2
    path.write_bytes(content[:last])
    with pytest.raises(AudioError, match="truncated: its last page does not end the stream"):
        audio.info(path)


@pytest.mark.parametrize("rate", [1, 999, 1_000_001])
def test_a_damaged_sample_rate(tmp_path, rate):
    path = tmp_path / "x.wav"
    soundfile.write(path, voice(0.5), 16000)
    content = bytearray(path.read_bytes())
    content[24:28] = struct.pack("<I", rate)
    path.write_bytes(content)
    with pytest.raises(AudioError, match=f"header says {rate} Hz. Expected 1000 to 1,000,000 Hz"):
        audio.info(path)


def test_unknown_length_of_a_pipe_is_no_truncation(tmp_path):
    path = tmp_path / "x.wav"
    soundfile.write(path, voice(0.5), 16000)
    content = bytearray(path.read_bytes())
    content[40:44] = struct.pack("<I", 0xFFFFFFFF)
    path.write_bytes(content)
    assert len(audio.read(path)[0]) == 8000


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e13, -1e37])
def test_sample_that_is_no_usable_number_is_located(tmp_path, bad):
    samples = voice(0.5)
    samples[1234] = bad
    soundfile.write(tmp_path / "x.wav", samples, 16000, subtype="FLOAT")
    with pytest.raises(AudioError, match="sample 1234 is NaN, infinite or beyond"):
        audio.read(tmp_path / "x.wav")


@given(position=st.integers(0, 4000), value=st.integers(0, 255))
def test_a_flipped_byte_is_audio_or_an_audio_error(tmp_path_factory, position, value):
    path = tmp_path_factory.mktemp("flip") / "x.flac"
    soundfile.write(path, voice(0.3), 16000)
    content = bytearray(path.read_bytes())
    content[position % len(content)] = value
    path.write_bytes(content)
    try:
        samples, _ = audio.read(path)
    except AudioError:
        return
    assert np.isfinite(samples).all()


def test_audio_files_are_found_at_any_depth_in_order(tmp_path):
    for name in ("b.wav", "a/c.FLAC", "a/notes.txt", ".hidden/d.wav", "a/.e.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = [path.relative_to(tmp_path).as_posix() for path in audio.audio_files(tmp_path)]
    assert found == ["a/c.FLAC", "b.wav"]


def test_audio_files_of_a_missing_file_or_empty_folder(tmp_path):
    with pytest.raises(AudioError, match="no such folder"):
        audio.audio_files(tmp_path / "nowhere")
    with pytest.raises(AudioError, match="holds no audio"):
        audio.audio_files(tmp_path)
    (tmp_path / "x.wav").touch()
    with pytest.raises(AudioError, match="is not a folder"):
        audio.audio_files(tmp_path / "x.wav")


def test_unknown_output_format(tmp_path):
    with pytest.raises(AudioError, match=r"\.wav or \.flac\. Received: '\.mp3'"):
        audio.write(tmp_path / "x.mp3", voice(0.1), 16000)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("channels", "rate"), [(9, 16000), (1, 768000)])
def test_what_flac_does_not_hold_is_said(tmp_path, channels, rate):
    with pytest.raises(
        AudioError, match=f"FLAC does not hold {channels} channels at {rate} Hz.*wav"
    ):
        audio.write(tmp_path / "x.flac", np.zeros((10, channels), np.float32), rate)
    assert not list(tmp_path.iterdir())


def test_failure_while_writing_leaves_nothing(tmp_path):
    with pytest.raises(RuntimeError), audio.writer(tmp_path / "x.wav", 16000, 1) as write:
        write(voice(0.1))
        raise RuntimeError
    assert not list(tmp_path.iterdir())


def test_output_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(AudioError, match="cannot be written"):
        audio.write(tmp_path / "file" / "x.wav", voice(0.1), 16000)


@pytest.mark.parametrize(
    ("subtype", "samples", "container"),
    [("PCM_16", 1 << 30, "WAV"), ("PCM_16", 1 << 31, "RF64"), ("FLOAT", 1 << 30, "RF64")],
)
def test_only_what_a_wav_cannot_hold_becomes_rf64(tmp_path, subtype, samples, container):
    path = tmp_path / "x.wav"
    with audio.writer(path, 16000, 1, subtype, expected_samples=samples) as write:
        write(voice(0.1))
    assert soundfile.info(path).format == container


def test_a_pipe_is_no_recording(tmp_path):
    pipe = tmp_path / "x.wav"
    os.mkfifo(pipe)
    with pytest.raises(AudioError, match=r"x\.wav: is a pipe or a device.*save it as one first"):
        audio.info(pipe)
    with pytest.raises(AudioError, match=r"x\.wav: is a pipe or a device.*name of a file"):
        audio.write(pipe, voice(0.1), 16000)
    assert list(tmp_path.iterdir()) == [pipe]


@pytest.fixture
def refuse(monkeypatch):
    """A function after whose call the system refuses something: for root, permissions do not."""

    def refusal(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    return lambda owner, name: monkeypatch.setattr(owner, name, refusal)


def test_missing_permissions_are_named(tmp_path, refuse):
    soundfile.write(tmp_path / "x.wav", voice(0.1), 16000)
    refuse(Path, "open")
    with pytest.raises(AudioError, match=r"x\.wav: cannot be read \(Permission denied\)"):
        audio.info(tmp_path / "x.wav")
    refuse(Path, "touch")
    with pytest.raises(AudioError, match=r"y\.wav: cannot be written \(Permission denied\)"):
        audio.write(tmp_path / "y.wav", voice(0.1), 16000)
    refuse(os, "scandir")
    with pytest.raises(AudioError, match=r"cannot be read \(Permission denied\)"):
        audio.audio_files(tmp_path)


@pytest.mark.parametrize("suffix", [".wav", ".flac"])
def test_full_disk_is_an_audio_error_and_leaves_nothing(tmp_path, suffix):
    """A limit on the size of files stands for the disk; a process of its own, since limits stay."""
    program = (
        "import sys, signal, numpy as np, resource\n"
        "from tfkd import audio\n"
        "from tfkd.errors import AudioError\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000))\n"
        "noise = np.random.default_rng(0).uniform(-1, 1, 60000).astype(np.float32)\n"
        "try:\n"
        "    audio.write(sys.argv[1], noise, 16000)\n"
        "except AudioError as error:\n"
        "    print(error)\n"
        "    sys.exit(7)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / f"x{suffix}")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 7, done.stderr
    assert "cannot be written" in done.stdout
    assert not list(tmp_path.iterdir())
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 20000
