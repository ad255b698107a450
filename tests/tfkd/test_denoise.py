import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import noisy_voice, voice
from test_enhance import Passage

from tfkd import audio
from tfkd.denoise import PEAK_LIMIT, denoise_file, plan_outputs
from tfkd.engines.firmware_ref import FirmwareRefEngine
from tfkd.engines.streaming_model import read_streaming_model
from tfkd.enhance import enhance
from tfkd.errors import AudioError


@pytest.fixture
def open_gate(gate):
    model = read_streaming_model(gate)
    return lambda: FirmwareRefEngine(model)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
@pytest.mark.parametrize("channels", [1, 2])
def test_length_rate_channels_and_alignment_are_kept(tmp_path, rate, channels):
    # What lies below the band edge of both rates passes a mask of ones unchanged.
    samples = voice(0.73, rate, channels)
    samples *= np.hanning(len(samples)).astype(np.float32)[:, np.newaxis]
    low = audio.resample(audio.resample(samples, rate, 8000), 8000, rate)
    low = audio.fit_length(low, len(samples))
    soundfile.write(tmp_path / "in.wav", low, rate, subtype="FLOAT")
    result = denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", Passage)
    assert (result.sample_rate, result.channels, result.gain) == (rate, channels, 1.0)
    output, output_rate = audio.read(tmp_path / "out.wav")
    assert (output_rate, output.shape) == (rate, low.shape)
    np.testing.assert_allclose(output, low, atol=2e-3)


@pytest.mark.parametrize(
    ("subtype", "expected"),
    [("PCM_U8", "PCM_16"), ("PCM_16", "PCM_16"), ("PCM_24", "PCM_24"), ("FLOAT", "FLOAT")],
)
def test_sample_format_is_kept_except_eight_bits(tmp_path, subtype, expected):
    soundfile.write(tmp_path / "in.wav", voice(0.3), 16000, subtype=subtype)
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", Passage)
    assert soundfile.info(tmp_path / "out.wav").subtype == expected


def test_blockwise_file_equals_whole_waveform(tmp_path, open_gate):
    noisy = noisy_voice(10.0)  # more than two blocks
    soundfile.write(tmp_path / "in.wav", noisy, 16000, subtype="FLOAT")
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", open_gate)
    output, _ = audio.read(tmp_path / "out.wav")
    np.testing.assert_allclose(output[:, 0], enhance(open_gate(), noisy[:, 0]), atol=1e-6)


def test_channels_are_independent(tmp_path, open_gate):
    stereo = np.concatenate([noisy_voice(1.0, seed=1), noisy_voice(1.0, seed=2)], axis=1)
    soundfile.write(tmp_path / "in.wav", stereo, 16000, subtype="FLOAT")
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", open_gate)
    output, _ = audio.read(tmp_path / "out.wav")
    for channel in range(2):
        expected = enhance(open_gate(), stereo[:, channel])
        np.testing.assert_allclose(output[:, channel], expected, atol=1e-6)


class Overshooting(Passage):
    """Keeps the low bands only, which makes a clipped square wave ring beyond full scale."""

    def run(self, features):
        masks = np.ones_like(features)
        masks[:, 20:] = 0.0
        return masks


@pytest.mark.parametrize(("subtype", "limit"), [("PCM_16", PEAK_LIMIT), ("FLOAT", 1.0)])
def test_output_never_clips(tmp_path, subtype, limit):
    square = np.sign(np.sin(2 * np.pi * 100 * np.arange(16000) / 16000 + 0.1))
    square *= 1.0 if subtype == "FLOAT" else 32767 / 32768
    soundfile.write(tmp_path / "in.wav", square, 16000, subtype=subtype)
    result = denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", Overshooting)
    assert result.gain < 1.0
    output, _ = audio.read(tmp_path / "out.wav")
    assert limit - 0.01 < np.abs(output).max() <= limit + 1e-4


def test_float_file_keeps_peaks_beyond_full_scale_that_it_had(tmp_path):
    soundfile.write(tmp_path / "in.wav", 10 * voice(0.5), 16000, subtype="FLOAT")
    result = denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", Passage)
    assert result.gain == 1.0
    np.testing.assert_allclose(audio.read(tmp_path / "out.wav")[0], 10 * voice(0.5), atol=1e-4)


def test_peaks_that_the_source_has_and_the_output_cannot_hold_are_scaled(tmp_path):
    soundfile.write(tmp_path / "in.wav", 10 * voice(0.5), 16000, subtype="FLOAT")
    result = denoise_file(tmp_path / "in.wav", tmp_path / "out.flac", Passage)
    assert result.gain < 1.0
    output, _ = audio.read(tmp_path / "out.flac")
    np.testing.assert_allclose(output, result.gain * 10 * voice(0.5), atol=1e-4)


@pytest.mark.parametrize("samples", [1, 255, 256, 257])
def test_very_short_recordings(tmp_path, open_gate, samples):
    soundfile.write(tmp_path / "in.wav", voice(0.1)[:samples], 16000)
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", open_gate)
    assert audio.info(tmp_path / "out.wav").samples == samples


def test_silence_stays_silence(tmp_path, open_gate):
    soundfile.write(tmp_path / "in.wav", np.zeros(9999), 44100)
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", open_gate)
    assert not audio.read(tmp_path / "out.wav")[0].any()


def test_progress_adds_up(tmp_path, open_gate):
    soundfile.write(tmp_path / "in.wav", voice(9.0), 16000)
    steps: list[float] = []
    denoise_file(tmp_path / "in.wav", tmp_path / "out.wav", open_gate, steps.append)
    assert len(steps) > 1
    assert sum(steps) == pytest.approx(9.0)


def test_memory_does_not_grow_with_the_recording(tmp_path):
    peaks = []
    for minutes in (1, 4):
        path = tmp_path / f"{minutes}.wav"
        soundfile.write(path, np.tile(voice(1.0), (60 * minutes, 1)), 16000)
        tracemalloc.start()
        denoise_file(path, tmp_path / "out.wav", Passage)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


@pytest.mark.parametrize("error", [AudioError, KeyboardInterrupt])
def test_interruption_leaves_nothing(tmp_path, open_gate, error):
    soundfile.write(tmp_path / "in.wav", voice(9.0), 16000)

    def interrupt(seconds):
        raise error

    with pytest.raises(error):
        denoise_file(tmp_path / "in.wav", tmp_path / "out" / "out.wav", open_gate, interrupt)
    assert not list((tmp_path / "out").iterdir())


def test_damaged_source_leaves_nothing(tmp_path, open_gate):
    path = tmp_path / "in.flac"
    soundfile.write(path, noisy_voice(9.0), 16000)
    path.write_bytes(path.read_bytes()[:-50000])
    with pytest.raises(AudioError, match="truncated"):
        denoise_file(path, tmp_path / "out.wav", open_gate)
    assert list(tmp_path.iterdir()) == [path]


def test_plan_of_files_and_folders(tmp_path):
    for name in ("in/a.flac", "in/deep/b.ogg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    source, out = tmp_path / "in", tmp_path / "out"
    a, b = source / "a.flac", source / "deep" / "b.ogg"
    assert plan_outputs([a], out / "x.wav") == [(a, out / "x.wav")]
    assert plan_outputs([a], f"{out}/") == [(a, out / "a.wav")]
    assert plan_outputs([a, b], out) == [(a, out / "a.wav"), (b, out / "b.wav")]
    assert plan_outputs([source], out) == [(a, out / "a.wav"), (b, out / "deep" / "b.wav")]


@pytest.mark.parametrize(("source", "output"), [("", "out"), ("in.wav", "")])
def test_plan_refuses_an_empty_name_which_is_no_name_of_this_folder(source, output):
    with pytest.raises(AudioError, match="a name is empty"):
        plan_outputs([source], output)


def test_plan_refuses_collisions_and_overwriting(tmp_path):
    for name in ("a.wav", "a.flac"):
        (tmp_path / name).touch()
    with pytest.raises(AudioError, match=r"a\.flac and .*a\.wav would both become"):
        plan_outputs([tmp_path], tmp_path / "out")
    with pytest.raises(AudioError, match="would overwrite its source"):
        plan_outputs([tmp_path / "a.wav"], tmp_path / "a.wav")
    with pytest.raises(AudioError, match="would overwrite its source"):
        plan_outputs([tmp_path / "a.wav"], Path(tmp_path) / "x" / ".." / "a.wav")
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.flac").touch()
    with pytest.raises(AudioError, match=r"would overwrite the source .*a\.wav"):
        plan_outputs([tmp_path / "b" / "a.flac", tmp_path / "a.wav"], tmp_path)
    for sources in ([tmp_path / "b"], [tmp_path / "a.wav", tmp_path / "a.flac"]):
        with pytest.raises(AudioError, match="names a file. Expected a folder"):
            plan_outputs(sources, tmp_path / "out.wav")


def test_a_second_call_leaves_the_outputs_of_the_first_alone(tmp_path):
    recordings, out = tmp_path / "recordings", tmp_path / "recordings" / "denoised"
    (out / "deep").mkdir(parents=True)
    for path in (recordings / "a.flac", out / "a.wav", out / "deep" / "b.wav"):
        path.touch()
    assert plan_outputs([recordings], out) == [(recordings / "a.flac", out / "a.wav")]
    (recordings / "a.flac").unlink()
    with pytest.raises(AudioError, match="holds no recordings but those in .*denoised"):
        plan_outputs([recordings], out)


def test_outputs_may_go_to_a_parent_of_the_recordings(tmp_path):
    (tmp_path / "in" / "deep").mkdir(parents=True)
    recording = tmp_path / "in" / "deep" / "a.wav"
    recording.touch()
    assert plan_outputs([tmp_path / "in"], tmp_path) == [(recording, tmp_path / "deep" / "a.wav")]
