"""The main job through the command line: train, convert, verify, evaluate, denoise."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from click.testing import CliRunner
from compiled_c import COMPILERS, needs_compiler
from conftest import SMALL_RUN, noisy_voice

from tfkd.cli import main

pytestmark = pytest.mark.slow


def tfkd(*args):
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == 0, result.stderr
    return result


@pytest.fixture(scope="module")
def trained(tmp_path_factory, small_corpus):
    """What `tfkd train` said, and the run."""
    runs = tmp_path_factory.mktemp("runs")
    result = tfkd("train", *SMALL_RUN, *small_corpus, "--runs", runs, "--tensorboard")
    return result, (runs / "latest").resolve()


@pytest.fixture(scope="module")
def converted(trained):
    """The run with its model.tflite, and what `tfkd convert` said."""
    run = trained[1]
    (run / "model_notes.txt").write_text("the user's own")
    return run, tfkd("convert", "--tflite-micro", run, "--emit-c", "--target", "nano33ble")


def test_training_prints_the_run_and_logs(trained):
    result, run = trained
    assert result.stdout == f"{run}\n"
    assert json.loads((run / "run.json").read_text())["state"] == "finished"
    assert "float phase: 2 steps" in (run / "train.log").read_text()
    assert list((run / "tb" / "float" / "train").glob("events.out.tfevents.*"))


def test_converted_files_are_listed(converted):
    from tfkd.convert.run import FILES

    run, result = converted
    lines = result.stdout.splitlines()
    listed = [Path(line) for line in lines[: lines.index(str(run / "memory.json")) + 1]]
    assert tuple(path.name for path in listed) == FILES
    assert all(path.is_file() and path.parent == run for path in listed)
    assert "nano33ble: fits" in result.stdout
    assert str(run / "c" / "denoiser.c") in lines and (run / "c" / "denoiser.c").is_file()
    assert f"C code in {run / 'c'}: tfkd_denoise_hop" in result.stdout


def test_model_that_does_not_fit_exits_3_with_its_report(converted, tmp_path, monkeypatch):
    from firmware_ref import fit

    monkeypatch.setattr(fit, "REFERENCE_RUNTIME_BYTES", 10**9)
    run, _ = converted
    args = ["convert", "--tflite-micro", run, "-o", tmp_path, "--target", "nano33ble", "--json"]
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    assert result.exit_code == 3
    assert "does not fit nano33ble" in result.stderr
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.convert/1"
    assert report["target"]["fits"] is False
    assert report["target"]["budgets"]["flash"]["margin_bytes"] < 0
    assert report["file_bytes"] == (tmp_path / "model.tflite").stat().st_size
    # Converted twice, the same bytes.
    assert (tmp_path / "model.tflite").read_bytes() == (run / "model.tflite").read_bytes()


@pytest.mark.oracle
def test_verify_of_a_run_compares_streaming_with_offline_too(converted):
    report = json.loads(tfkd("verify", converted[0], "--frames", 300, "--json").stdout)
    assert {engine["engine"]: engine["equal"] for engine in report["engines"]} == {
        "tflite": True,
        "firmware-ref": True,
        **({"c": True} if COMPILERS else {}),
    }
    assert report["streaming"]["float_difference"] <= 1e-5
    assert report["streaming"]["quantized_difference"] == 0.0


@pytest.mark.oracle
def test_evaluate_scores_float_and_int8(converted, pair_folders):
    noisy, clean = pair_folders
    result = tfkd("evaluate", converted[0], "--noisy", noisy, "--clean", clean, "--limit", 1)
    report = json.loads(result.stdout)
    assert list(report["systems"]) == ["noisy", "float", "int8", "int8-tflm"]
    # The bits are equal, so all that is computed from them is.
    assert report["systems"]["int8"] == report["systems"]["int8-tflm"]


@pytest.mark.parametrize(
    "engine", ["keras", "tflite", "firmware-ref", pytest.param("c", marks=needs_compiler)]
)
def test_denoise_with_every_engine(converted, tmp_path, engine):
    soundfile.write(tmp_path / "in.wav", noisy_voice(1.0), 16000)
    tfkd(
        *("denoise", tmp_path / "in.wav", "-o", tmp_path / "out.wav"),
        *("--model", converted[0], "--engine", engine),
    )
    samples, rate = soundfile.read(tmp_path / "out.wav")
    assert (rate, len(samples)) == (16000, 16000)
    assert np.isfinite(samples).all() and samples.any()


def test_info_of_a_run(converted):
    report = json.loads(tfkd("info", converted[0], "--json").stdout)
    assert report["budget"]["parameters"] > 0
    assert report["tflite"]["operators"]["CONV_2D"] > 0


def test_run_without_trained_weights_cannot_be_converted(tmp_path, converted):
    for name in ("run.json", "config.toml"):
        (tmp_path / name).write_bytes((converted[0] / name).read_bytes())
    result = CliRunner().invoke(main, ["convert", "--tflite-micro", str(tmp_path)])
    assert result.exit_code == 1
    assert "has no quantisation-aware weights" in result.stderr
    result = CliRunner().invoke(main, ["convert", "--tflite-micro", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "is not a run directory" in result.stderr
