"""`tfkd live` with files, and with a stand-in for the sound card."""

from __future__ import annotations

import io
import json
import os
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import soundfile
from conftest import noisy_voice
from fake_sounddevice import FakeSounddevice, real_arguments

from tfkd import live as library
from tfkd.cli import keyboard
from tfkd.cli.live import bar
from tfkd.denoise import denoise_file
from tfkd.engines.choice import engine_factory

HOP = 256


@pytest.fixture
def live(run_tfkd, gate):
    return lambda *args: run_tfkd("live", "--model", gate, "--engine", "firmware-ref", *args)


@pytest.fixture
def noisy_file(tmp_path):
    soundfile.write(tmp_path / "in.wav", noisy_voice(1.0), 16000)
    return tmp_path / "in.wav"


@pytest.fixture
def card(monkeypatch):
    if find_spec("sounddevice") is None:
        pytest.skip("sounddevice is not installed")
    fake = FakeSounddevice(noisy_voice(2.0)[:, 0])
    monkeypatch.setitem(sys.modules, "sounddevice", fake)
    return fake


def test_file_to_file(live, noisy_file, tmp_path):
    result = live("--input-file", noisy_file, "--output-file", tmp_path / "out.wav")
    assert result.exit_code == 0, result.stderr
    assert result.stderr == "latency 32 ms: window 32, input 0, output 0\n"
    assert result.stdout.startswith("1.0 s with firmware-ref: ")
    assert result.stdout.endswith("0 underruns, 0 overflows\n")
    assert soundfile.info(tmp_path / "out.wav").frames == 64 * HOP


def test_file_to_file_is_what_denoise_writes_a_hop_later(live, gate, noisy_file, tmp_path):
    assert live("--input-file", noisy_file, "--output-file", tmp_path / "live.wav").exit_code == 0
    denoise_file(noisy_file, tmp_path / "whole.wav", engine_factory("firmware-ref", gate))
    heard, whole = (
        soundfile.read(tmp_path / f"{n}.wav", dtype="int16")[0] for n in ("live", "whole")
    )
    np.testing.assert_array_equal(heard[HOP : HOP + len(whole)], whole[: len(heard) - HOP])


def test_json(live, noisy_file, tmp_path):
    result = live(
        *("--input-file", noisy_file, "--output-file", tmp_path / "o.wav"),
        *("--seconds", "0.32", "--json"),
    )
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.live/1"
    assert (report["hops"], report["seconds"], report["hop_ms"]) == (20, 0.32, 16.0)
    assert report["latency_ms"] == {"algorithm": 32.0, "input": 0.0, "output": 0.0}


def test_a_limited_attenuation_is_what_is_heard(live, noisy_file, tmp_path):
    output = ("--output-file", tmp_path / "o.wav")
    result = live("--input-file", noisy_file, *output, "--max-attenuation", "0", "--json")
    assert json.loads(result.stdout)["max_attenuation_db"] == 0
    noisy, heard = (soundfile.read(path)[0] for path in (noisy_file, tmp_path / "o.wav"))
    heard = heard[HOP : HOP + len(noisy)]
    np.testing.assert_allclose(heard, noisy[: len(heard)], atol=1e-4)


@pytest.mark.parametrize("seconds", ["nan", "inf", "0"])
def test_a_duration_is_a_number_of_seconds(live, noisy_file, tmp_path, seconds):
    files = ("--input-file", noisy_file, "--output-file", tmp_path / "o.wav")
    assert live(*files, "--seconds", seconds).exit_code == 2


def test_card(live, card):
    result = live("--seconds", "0.5", "--json", "--input", "Mic", "--output", "1")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert (report["hops"], report["overflows"], report["underruns"]) == (31, 1, 1)
    assert report["latency_ms"] == {"algorithm": 32.0, "input": 10.0, "output": 26.0}
    assert {block.shape for block in card.heard} == {(HOP, 2)}
    assert not card.heard[0].any()  # the hop of silence that goes ahead


def test_a_recording_is_kept_when_the_device_is_unplugged(live, card, tmp_path):
    result = live("--output-file", tmp_path / "out.wav")
    assert result.exit_code == 1
    assert soundfile.info(tmp_path / "out.wav").frames == 125 * HOP
    assert "Device unavailable" in result.stderr and "--list-devices" in result.stderr


def test_a_bypassed_card(live, card):
    live("--seconds", "0.5", "--bypass")
    heard = np.concatenate(card.heard)[:, 0]
    noisy = noisy_voice(2.0)[: len(heard), 0]
    np.testing.assert_allclose(heard[4 * HOP :], noisy[2 * HOP : -2 * HOP], atol=1e-6)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--input", "Phone"], "No device matching 'Phone'"),
        (["--output", "7"], "Error querying device 7"),
    ],
)
def test_no_such_device(live, card, args, message):
    result = live(*args)
    assert result.exit_code == 1
    assert message in result.stderr and len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize("stream", ["InputStream", "OutputStream"])
def test_a_busy_device(live, card, monkeypatch, stream):
    monkeypatch.setattr(getattr(card, stream), "busy", True)
    result = live()
    assert result.exit_code == 1
    assert "The sound card cannot be used: Device unavailable" in result.stderr


def test_another_sample_rate(card):
    from tfkd.errors import AudioError
    from tfkd.sound_card import microphone

    with pytest.raises(AudioError, match="Invalid sample rate.*such as default or pulse"):
        with microphone(None, 44100, HOP):
            pass


def test_list_devices(live, card):
    assert live("--list-devices").stdout == (
        "  0 Mic: 2 in, 0 out, 48000 Hz  (default input)\n"
        "  1 Out: 0 in, 8 out, 48000 Hz  (default output)\n"
    )
    report = json.loads(live("--list-devices", "--json").stdout)
    assert report["schema"] == "tfkd.live-devices/1"
    assert [device["name"] for device in report["devices"]] == ["Mic", "Out"]


def test_without_the_package(live, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    result = live()
    assert result.exit_code == 1
    assert "pip install 'tfkd[live]'" in result.stderr


def test_without_portaudio(live, monkeypatch, tmp_path):
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    result = live("--list-devices")
    assert result.exit_code == 1
    assert "apt-get install libportaudio2" in result.stderr


def test_the_stand_in_knows_the_real_arguments():
    if find_spec("sounddevice") is None:
        pytest.skip("sounddevice is not installed")
    assert {"samplerate", "blocksize", "latency"} <= real_arguments("OutputStream")


def test_ctrl_c_keeps_the_recording_and_exits_130(live, noisy_file, tmp_path, monkeypatch):
    read = library.FileSource.read
    monkeypatch.setattr(library.FileSource, "read", interrupted_after(10, read))
    result = live("--input-file", noisy_file, "--output-file", tmp_path / "out.wav")
    assert result.exit_code == 130
    assert "0.2 s with firmware-ref" in result.stdout
    assert "interrupted" in result.stderr and "Traceback" not in result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 10 * HOP


def interrupted_after(hops, read):
    calls = []

    def reading(self, samples):
        calls.append(1)
        if len(calls) > hops:
            raise KeyboardInterrupt
        return read(self, samples)

    return reading


def test_the_source_is_not_replaced(live, noisy_file):
    before = noisy_file.read_bytes()
    result = live("--input-file", noisy_file, "--output-file", noisy_file)
    assert result.exit_code == 2 and "would be replaced" in result.stderr
    assert noisy_file.read_bytes() == before


def test_one_of_device_and_file(live, noisy_file):
    result = live("--input", "1", "--input-file", noisy_file)
    assert result.exit_code == 2
    assert "--input and --input-file exclude each other" in result.stderr


@pytest.fixture
def terminal(monkeypatch):
    """A terminal as stdin; what is written to its other end is typed."""
    typing, typed = os.openpty()
    with os.fdopen(typed, closefd=True) as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        yield typing
    os.close(typing)


def test_keys_are_read_without_enter(terminal):
    with keyboard.pressed_keys() as keys:
        assert keys() == ""
        os.write(terminal, b"bb")
        assert keys() == "bb"
        assert keys() == ""


def test_no_keys_off_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("q"))
    with keyboard.pressed_keys() as keys:
        assert keys() == ""


def test_keys_switch_and_stop(gate, card, terminal, monkeypatch):
    """The command's body: a runner would replace stdin."""
    from tfkd.cli.live import live as command

    typed = iter([b"", b"", b"b", *[b""] * 7, b"q"])
    read = card.InputStream.read

    def reading(self, frames):
        os.write(terminal, next(typed))
        return read(self, frames)

    monkeypatch.setattr(card.InputStream, "read", reading)
    command.main(["--model", str(gate), "--engine", "firmware-ref"], "live", standalone_mode=False)
    heard = np.concatenate(card.heard)[:, 0]
    assert len(heard) == 12 * HOP  # one of silence, eleven until q
    noisy = noisy_voice(2.0)[: len(heard), 0]
    np.testing.assert_allclose(heard[6 * HOP :], noisy[4 * HOP : -2 * HOP], atol=1e-6)


def test_the_meter():
    assert bar(0.0) == "[####################]   0 dB"
    assert bar(-45.0) == "[#####...............] -45 dB"
    assert bar(-99.0) == "[....................] -99 dB"
    assert bar(2.0) == "[####################]   2 dB"
