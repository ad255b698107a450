import json
from pathlib import Path

import pytest
from compiled_c import needs_compiler

from tfkd.engines import tensor_trace

FOREIGN = Path(__file__).parents[2] / "firmware_ref" / "models" / "lstm.tflite"

pytestmark = pytest.mark.oracle


@pytest.mark.slow
def test_equal_engines(run_tfkd, gate):
    result = run_tfkd("verify", gate, "--frames", 300)
    assert result.exit_code == 0, result.stderr
    assert "tflm == tflite: 300 frames" in result.stdout
    assert "tflm == firmware-ref: 300 frames" in result.stdout
    assert "equal" in result.stdout and "arena on Cortex-M" in result.stdout


def test_json(run_tfkd, gate):
    result = run_tfkd("verify", gate, "--engine", "firmware-ref", "--frames", 300, "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.verify/1"
    assert report["engines"][0]["equal"] and report["engines"][0]["frames"] == 300
    x86 = report["arena"]["x86_64"]
    assert x86["tflm_bytes"] == x86["predicted_bytes"] > 0


def test_difference_exits_3_and_names_the_tensor(run_tfkd, gate, monkeypatch):
    def faulty(model):
        trace = tensor_trace.firmware_ref_trace(model)
        return lambda inputs_q: {index: t ^ 1 for index, t in trace(inputs_q).items()}

    monkeypatch.setitem(tensor_trace.TRACES, "firmware-ref", faulty)
    result = run_tfkd("verify", gate, "--engine", "firmware-ref", "--frames", 300)
    assert result.exit_code == 3
    assert "frame 0, tensor 2 (history, written by CONCATENATION)" in result.stderr


def test_damaged_model(run_tfkd, gate, tmp_path):
    (tmp_path / "x.tflite").write_bytes(gate.read_bytes()[:300])
    result = run_tfkd("verify", tmp_path / "x.tflite")
    assert result.exit_code == 1
    assert "is not a usable .tflite model" in result.stderr


def test_fewer_frames_than_300_are_wrong_usage(run_tfkd, gate):
    assert run_tfkd("verify", gate, "--frames", 299).exit_code == 2


@needs_compiler
def test_exported_code(run_tfkd, gate):
    result = run_tfkd("verify", gate, "--engine", "c", "--frames", 300)
    assert result.exit_code == 0, result.stderr
    assert "tflm == c: 300 frames, 19,200 values, equal" in result.stdout
    assert "desktop == C with its front end: 5 s, 76,800 samples, equal" in result.stdout


@pytest.mark.slow
def test_without_a_compiler_c_is_left_out(run_tfkd, gate, monkeypatch):
    monkeypatch.setattr("tfkd.cli.verify.find_compiler", lambda: None)
    result = run_tfkd("verify", gate, "--frames", 300)
    assert result.exit_code == 0, result.stderr
    assert "Left out c: there is no C compiler" in result.stderr
    assert "tflm == c:" not in result.stdout


def test_asked_for_c_without_a_compiler(run_tfkd, gate, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    result = run_tfkd("verify", gate, "--engine", "c", "--frames", 301)
    assert result.exit_code == 1
    assert "there is no C compiler" in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_model_that_tfkd_did_not_make(run_tfkd):
    result = run_tfkd("verify", FOREIGN, "--frames", 300)
    assert result.exit_code == 0, result.stderr
    assert "no front end of tfkd, so its inputs are random" in result.stdout
    assert "tflm == firmware-ref: 300 frames" in result.stdout
    report = json.loads(run_tfkd("verify", FOREIGN, "--frames", 300, "--json").stdout)
    assert report["engines"][0]["equal"] and report["streaming"] is None
    x86 = report["arena"]["x86_64"]
    assert x86["tflm_bytes"] == x86["predicted_bytes"] > 0
    assert run_tfkd("verify", FOREIGN, "--engine", "c").exit_code == 2
