import json
import re

import pytest
from gate_model import gate_model

from tfkd.cli.deployed import in_time
from tfkd.config_file import preset_names


def test_tflite(run_tfkd, gate):
    report = json.loads(run_tfkd("info", gate, "--json").stdout)
    assert report["schema"] == "tfkd.info/1"
    assert report["budget"] is None
    tflite = report["tflite"]
    assert tflite["file_bytes"] == gate.stat().st_size
    assert tflite["operators"] == {
        "CONCATENATION": 1,
        "CONV_2D": 1,
        "LOGISTIC": 1,
        "STRIDED_SLICE": 1,
    }
    assert (tflite["macs_per_frame"], tflite["state_bytes"]) == (3 * 64, 2 * 64)
    assert tflite["arena"]["min_bytes"] >= tflite["arena"]["used_bytes"] > 0


def test_target(run_tfkd, gate):
    result = run_tfkd("info", gate, "--target", "nano33ble")
    assert result.exit_code == 0, result.stderr
    assert "nano33ble: fits" in result.stdout and "margin" in result.stdout
    assert "ms per hop of 16 ms, in time\n" in result.stdout
    report = json.loads(run_tfkd("info", gate, "--target", "nano33ble", "--json").stdout)
    estimate = report["tflite"]["target"]["estimated_ms_per_hop"]
    assert estimate["exported_c"][0] < estimate["cmsis_nn"][0] < estimate["reference"][0]
    report = json.loads(run_tfkd("info", gate, "--target", "pico", "--json").stdout)
    estimate = report["tflite"]["target"]["estimated_ms_per_hop"]
    assert set(estimate.values()) == {None}  # nobody counted for this core
    result = run_tfkd("info", gate, "--target", "nano33bel")
    assert result.exit_code == 2
    assert "nano33ble" in result.stderr


def test_arena_map(run_tfkd, gate):
    """Its form is tested with firmware_ref; here that it is drawn, with the JSON's numbers."""
    text = run_tfkd("info", gate, "--arena").stdout
    report = json.loads(run_tfkd("info", gate, "--arena", "--json").stdout)
    arena = report["tflite"]["arena"]
    assert arena["head_bytes"] + arena["tail_bytes"] == arena["used_bytes"]
    assert arena["steps"][0] == "(inputs)" and "CONV_2D" in arena["steps"]
    rows = [line for line in text.splitlines() if line.endswith(tuple(arena["steps"]))]
    assert len(rows) == len(arena["steps"])
    assert f"0{arena['head_bytes']:>63} B" in text
    live_bytes = sum(
        buffer["size_bytes"]
        for buffer in arena["buffers"]
        if buffer["first_step"] <= 1 <= buffer["last_step"]
    )
    assert f" {live_bytes} B  {arena['steps'][1]}" in rows[1]
    ends = [buffer["offset_bytes"] + buffer["size_bytes"] for buffer in arena["buffers"]]
    assert max(ends) == arena["head_bytes"]


@pytest.mark.parametrize(
    ("band", "verdict"),
    [((1.0, 16.0), "in time"), ((9.0, 17.0), "perhaps in time"), ((16.1, 40.0), "TOO SLOW")],
)
def test_the_verdict_on_time(band, verdict):
    assert in_time(*band, 16.0) == verdict


@pytest.mark.parametrize("asked", [("--arena",), ("--target", "nano33ble")])
def test_without_a_model_there_is_no_arena(run_tfkd, monkeypatch, asked):
    monkeypatch.setattr("tfkd.cli.info.released_folders", dict)
    result = run_tfkd("info", "small", *asked)
    assert result.exit_code == 1
    assert f"tfkd info runs/latest {' '.join(asked)}" in result.stderr


@pytest.mark.slow
def test_preset(run_tfkd):
    report = json.loads(run_tfkd("info", "micro", "--json").stdout)
    assert report["budget"]["name"] == "micro"
    assert report["budget"]["latency_ms"] == 32.0
    assert report["budget"]["parameters"] <= 30_000


@pytest.mark.slow
def test_students(run_tfkd):
    report = json.loads(run_tfkd("students", "--json").stdout)
    assert {row["name"] for row in report["presets"]} == set(preset_names())
    sizes = [row["parameters"] for row in report["presets"]]
    assert sizes == sorted(sizes)
    assert report["target"] is None and "fits" not in report["presets"][0]


@pytest.mark.slow
def test_students_on_a_chip(run_tfkd, monkeypatch, gate):
    monkeypatch.setattr("tfkd.cli.students.released_folders", lambda: {"tiny": gate.parent})
    report = json.loads(run_tfkd("students", "--target", "nano33ble", "--json").stdout)
    rows = {row["name"]: row for row in report["presets"]}
    assert report["target"] == "nano33ble"
    assert (rows["tiny"]["fits"], rows["micro"]["fits"]) == (True, None)
    lines = run_tfkd("students", "--target", "nano33ble").stdout.splitlines()
    cells = {line.split()[0]: re.split(", | {2,}", line) for line in lines[1:-1]}
    assert {name: [row[-3], row[-1]] for name, row in cells.items()} == {
        "micro": ["in time", "in time"],
        "tiny": ["perhaps in time", "in time"],
        "small": ["TOO SLOW", "perhaps in time"],
        "teacher": ["TOO SLOW", "TOO SLOW"],
    }
    assert [line.split()[0] for line in lines if " fits " in line] == ["tiny"]
    assert "nobody counted for this core" in run_tfkd("students", "--target", "pico").stdout


def test_unknown_model(run_tfkd):
    result = run_tfkd("info", "tinny")
    assert result.exit_code == 1
    assert "Did you mean 'tiny'?" in result.stderr


@pytest.mark.parametrize("path", ["runs/latest", "none.tflite"])
def test_missing_run_or_file_is_no_unknown_preset(run_tfkd, tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    result = run_tfkd("info", path)
    assert result.exit_code == 1
    assert f"no model '{path}'. Expected a .tflite file, a run directory" in result.stderr


def test_a_preset_s_name_wins_over_a_folder_of_that_name(run_tfkd, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("teacher", "tiny"):
        (tmp_path / name).mkdir()
        result = run_tfkd("info", name, "--json")
        assert json.loads(result.stdout)["budget"]["name"] == name


def test_tflite_of_others_is_pointed_to_firmware_ref(run_tfkd, tmp_path):
    path = tmp_path / "other.tflite"
    path.write_bytes(gate_model(metadata={}))
    result = run_tfkd("info", path)
    assert result.exit_code == 1
    assert f"python -m firmware_ref {path}" in result.stderr
