import json

import numpy as np
import pytest
import soundfile
from conftest import noisy_voice, voice


@pytest.fixture
def denoise(run_tfkd, gate):
    return lambda *args: run_tfkd("denoise", *args, "--model", gate, "--engine", "firmware-ref")


def test_file(tmp_path, denoise):
    soundfile.write(tmp_path / "in.wav", noisy_voice(1.0), 16000)
    result = denoise(tmp_path / "in.wav", "-o", tmp_path / "out.wav")
    assert result.exit_code == 0, result.stderr
    assert result.stdout == f"{tmp_path / 'out.wav'}\n"
    assert "1.0 s of audio" in result.stderr
    assert soundfile.info(tmp_path / "out.wav").frames == 16000


def test_a_limited_attenuation_leaves_noise(tmp_path, denoise):
    noisy = noisy_voice(1.0)[:, 0]
    soundfile.write(tmp_path / "in.wav", noisy, 16000, subtype="FLOAT")
    arguments = (tmp_path / "in.wav", "-o", tmp_path / "out.wav", "--max-attenuation")
    result = denoise(*arguments, 0, "--json")
    assert json.loads(result.stdout)["max_attenuation_db"] == 0
    np.testing.assert_allclose(soundfile.read(tmp_path / "out.wav")[0], noisy, atol=1e-5)
    assert denoise(*arguments, -3).exit_code == 2
    assert denoise(*arguments, "nan").exit_code == 2
    assert denoise(*arguments, "inf").exit_code == 0


def test_folder_with_a_bad_file_does_the_others_and_exits_1(tmp_path, denoise):
    folder = tmp_path / "in"
    folder.mkdir()
    soundfile.write(folder / "good.flac", voice(0.5, 48000, 2), 48000)
    (folder / "bad.wav").write_bytes(b"RIFF nothing")
    result = denoise(folder, "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "bad.wav: cannot be read as audio" in result.stderr
    assert "1 of 2 recordings could not be denoised" in result.stderr
    assert result.stdout == f"{tmp_path / 'out' / 'good.wav'}\n"
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["good.wav"]


def test_json_is_one_object_on_stdout(tmp_path, denoise):
    soundfile.write(tmp_path / "in.wav", voice(0.5), 16000)
    result = denoise(tmp_path / "in.wav", "-o", tmp_path / "out.wav", "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.denoise/1"
    assert report["files"][0]["output"] == str(tmp_path / "out.wav")
    assert report["channel_seconds"] == 0.5


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["none.wav", "-o", "out.wav"], "none.wav: no such file"),
        (["in.wav", "-o", "in.wav"], "would overwrite its source"),
        (["in.wav", "-o", "out.mp3"], "cannot write this format"),
        (["empty", "-o", "out"], "holds no audio"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_1(tmp_path, denoise, monkeypatch, args, message):
    monkeypatch.chdir(tmp_path)
    soundfile.write("in.wav", voice(0.2), 16000)
    (tmp_path / "empty").mkdir()
    result = denoise(*args)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert message in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "in.wav"]


@pytest.mark.parametrize(("installed", "engine"), [(True, "tflm"), (False, "firmware-ref")])
def test_default_engine_needs_no_tensorflow(
    tmp_path, run_tfkd, gate, monkeypatch, installed, engine
):
    from tfkd.engines import choice

    if installed:
        pytest.importorskip("tflite_micro", reason="the tflite-micro wheel is not installed")
    monkeypatch.setattr(choice, "find_spec", lambda name: installed or None)
    soundfile.write(tmp_path / "in.wav", noisy_voice(0.5), 16000)
    result = run_tfkd(
        *("denoise", tmp_path / "in.wav", "-o", tmp_path / "x.wav", "--model", gate, "--json")
    )
    assert json.loads(result.stdout)["engine"] == engine


def test_unknown_model(tmp_path, run_tfkd):
    soundfile.write(tmp_path / "in.wav", voice(0.2), 16000)
    result = run_tfkd("denoise", tmp_path / "in.wav", "-o", tmp_path / "x.wav", "--model", "nosuch")
    assert result.exit_code == 1
    assert "no model 'nosuch'" in result.stderr


def test_run_that_is_not_converted(tmp_path, run_tfkd):
    soundfile.write(tmp_path / "in.wav", voice(0.2), 16000)
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").touch()
    result = run_tfkd(
        "denoise", tmp_path / "in.wav", "-o", tmp_path / "x.wav", "--model", tmp_path / "run"
    )
    assert result.exit_code == 1
    assert "tfkd convert --tflite-micro" in result.stderr
