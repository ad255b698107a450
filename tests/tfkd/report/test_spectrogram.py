import io
from base64 import b64decode

import numpy as np
import soundfile
from matplotlib.image import imread

from tfkd.config import FrontEndConfig
from tfkd.report.spectrogram import COLOURS, FLOOR_DB, colour_stops, decibels, magnitudes, picture
from tfkd.report.spectrogram import wav as wav_uri


def content(uri: str, media_type: str) -> io.BytesIO:
    head, _, text = uri.partition(",")
    assert head == f"data:{media_type};base64"
    return io.BytesIO(b64decode(text))


def test_decibels_by_hand():
    levels = decibels(np.array([2.0, 0.2, 0.0], np.float32), reference=2.0)
    np.testing.assert_allclose(levels, [0.0, -20.0, FLOOR_DB], atol=1e-4)


def test_silence_has_a_picture():
    assert (decibels(np.zeros((3, 5), np.float32), 0.0) == FLOOR_DB).all()


def test_time_runs_right_and_frequency_up():
    levels = np.full((40, 60), FLOOR_DB, np.float32)  # [frames, bins]
    levels[30:, :20] = 0.0  # loud at the end, in low bins
    image = imread(content(picture(levels), "image/jpeg"), format="jpg")
    assert image.shape == (60, 40, 3)
    loud, quiet = (np.array(COLOURS(share, bytes=True)[:3], int) for share in (1.0, 0.0))
    assert np.abs(image[50, 35].astype(int) - loud).max() < 12  # low right
    assert np.abs(image[5, 35].astype(int) - quiet).max() < 12
    assert np.abs(image[50, 5].astype(int) - quiet).max() < 12


def test_a_tone_peaks_in_its_bin():
    tone = np.sin(2 * np.pi * 1000.0 * np.arange(16000) / 16000).astype(np.float32)
    spectra = magnitudes(tone, FrontEndConfig())
    assert (np.argmax(spectra[2:-2], axis=1) == 32).all()  # 1000 Hz / (16000 / 512)


def test_sound_is_16_bit_wav():
    signal = np.linspace(-0.5, 0.5, 1600, dtype=np.float32)
    samples, rate = soundfile.read(content(wav_uri(signal, 16000), "audio/wav"), dtype="float32")
    assert rate == 16000
    np.testing.assert_allclose(samples, signal, atol=1 / 32767)


def test_colours_go_from_black_to_bright():
    stops = colour_stops()
    assert stops[0] == "rgb(0 0 3)"
    assert len(stops) == 9
