"""`python -m firmware_ref`: what it prints, and its exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from known_models import KNOWN_MODELS
from model_builder import ModelBuilder

from firmware_ref.__main__ import EXAMPLE, main
from firmware_ref.arena import plan_arena
from firmware_ref.reader import read_model


@pytest.fixture
def unet(tmp_path: Path) -> str:
    path = tmp_path / "unet.tflite"
    path.write_bytes(KNOWN_MODELS["unet"]())
    return str(path)


def test_the_model_alone(unet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([unet]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "file       14,904 B, of it weights 6,872 B" in out
    assert "MACs       137,408 per inference" in out
    assert "16: 3 ADD, 6 CONV_2D, 3 DEPTHWISE_CONV_2D, 1 LOGISTIC, 3 RESIZE" in out
    assert " 4  CONV_2D                  1x1x16x24  55,296      3,552" in out
    assert "used      6,244 B" in out
    assert "smallest  6,256 B" in out


def test_a_chip_that_it_fits(unet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([unet, "--target", "nano33ble", "--map"]) == 0
    out = capsys.readouterr().out
    assert "nano33ble: nRF52840, Cortex-M4F, 64 MHz" in out
    assert "22,640 B  of  209,715 B usable,  margin +187,075 B" in out
    assert "27.3 to 95.2 ms per inference (estimate, not measured on silicon)" in out
    assert "  fits\n" in out
    assert "16: ggg" in out


def test_a_chip_that_it_does_not_fit(unet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([unet, "--target", "nano33ble", "--reserve-sram", "300000"]) == 3
    out = capsys.readouterr().out
    assert "margin -96,541 B  TOO SMALL" in out
    assert "does not fit" in out


def test_json_is_one_object_with_a_versioned_schema(
    unet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([unet, "--target", "pico", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    plan = plan_arena(unet, "cortex-m")
    assert report["schema"] == "firmware_ref.report/1"
    assert report["model"]["macs"] == sum(op["macs"] for op in report["model"]["operators"])
    assert report["arena"]["used_bytes"] == plan.total_bytes
    assert report["arena"]["min_bytes"] == plan.min_bytes
    assert sum(report["arena"]["tail_categories"].values()) == plan.tail_bytes
    assert report["target"]["name"] == "pico"
    assert report["target"]["fits"] is True
    assert report["target"]["cycles"] is None
    assert [budget["name"] for budget in report["target"]["budgets"]] == [
        "SRAM",
        "arena in one block",
        "flash",
    ]


def test_json_without_a_chip(unet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([unet, "--json", "--abi", "x86_64-wheel"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["target"] is None
    assert report["arena"]["abi"] == "x86_64-wheel"


def test_vector_chips_are_planned_with_vector_kernels(
    unet: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([unet, "--target", "apollo510", "--cmsis-nn", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    plan = plan_arena(unet, "cortex-m", cmsis_nn=True, mve=True)
    assert report["arena"]["used_bytes"] == plan.total_bytes
    assert report["arena"]["abi"] == "cortex-m+cmsis-nn"


def test_a_smaller_plan_is_written(
    unet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    smaller = tmp_path / "smaller.tflite"
    assert main([unet, "--write-plan", str(smaller)]) == 0
    err = capsys.readouterr().err
    assert "head 2,304 B instead of 2,816 B, the least possible" in err
    assert "(512 B saved)" in err
    assert plan_arena(read_model(smaller), "cortex-m").head_bytes == 2304


def test_a_model_whose_arena_is_the_least_already_is_copied(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model, copy = tmp_path / "model.tflite", tmp_path / "copy.tflite"
    model.write_bytes(KNOWN_MODELS["hello_world"]())
    assert main([str(model), "--write-plan", str(copy)]) == 0
    assert f"wrote {copy}: an equal copy, for no smaller arena is found" in capsys.readouterr().err
    assert copy.read_bytes() == model.read_bytes()


def test_a_picture_is_written(unet: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    assert main([unet, "--plot", str(tmp_path / "arena.png")]) == 0
    assert (tmp_path / "arena.png").exists()


def test_what_cannot_be_written_leaves_nothing_behind(
    unet: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    folder = tmp_path / "folder.png"
    folder.mkdir()
    for option in ("--plot", "--write-plan"):
        assert main([unet, option, str(folder)]) == 1
        assert f"{folder}: Is a directory" in capsys.readouterr().err
        assert main([unet, option, str(tmp_path / "absent" / "x.png")]) == 1
        assert "No such file or directory" in capsys.readouterr().err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.png", "unet.tflite"]


def test_others_may_read_what_is_written(unet: str, tmp_path: Path) -> None:
    copy, plain = tmp_path / "smaller.tflite", tmp_path / "plain"
    plain.touch()
    assert main([unet, "--write-plan", str(copy)]) == 0
    assert copy.stat().st_mode == plain.stat().st_mode


def test_the_chips_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list-targets"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("name ")
    assert "nano33ble       nRF52840" in out


def usage_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_wrong_usage(unet: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "Did you mean nano33ble" in usage_error([unet, "--target", "nano33bel"], capsys)
    assert "MODEL is missing" in usage_error([], capsys)
    assert "invalid choice: 'avr'" in usage_error([unet, "--abi", "avr"], capsys)
    assert "must not be negative" in usage_error([unet, "--reserve-sram", "-1"], capsys)
    desktop = [unet, "--target", "pico", "--abi", "x86_64-wheel"]
    assert "is that of the ABI 'cortex-m'" in usage_error(desktop, capsys)
    optimised = [unet, "--cmsis-nn", "--abi", "x86_64-wheel"]
    assert "CMSIS-NN kernels exist for" in usage_error(optimised, capsys)
    elsewhere = [unet, "--cmsis-nn", "--target", "esp32"]
    assert "for Arm cores only, and esp32 has a Xtensa LX6" in usage_error(elsewhere, capsys)


def test_models_that_cannot_be_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "missing.tflite")]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: cannot read the model")
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(KNOWN_MODELS["unet"]()[:1000])
    assert main([str(broken)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_float_models_are_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = ModelBuilder()
    graph = model.subgraph()
    x, y = graph.tensor([1, 4], np.float32), graph.tensor([1, 4], np.float32)
    graph.operator("TANH", [x], [y])
    path = tmp_path / "float.tflite"
    path.write_bytes(model.build([x], [y]))
    assert main([str(path)]) == 1
    message = capsys.readouterr().err
    assert "operator 0 (TANH) has the types `float32 -> float32`" in message
    assert "convert it again, fully quantised" in message


def test_the_example_in_the_help_runs(
    unet: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = EXAMPLE.splitlines()[1].split()
    assert command[:3] == ["python", "-m", "firmware_ref"]
    assert main([unet if word == "model.tflite" else word for word in command[3:]]) == 0
    assert capsys.readouterr().out


def test_the_module_runs_and_a_closed_pipe_is_no_error(unet: str) -> None:
    command = [sys.executable, "-m", "firmware_ref", unet, "--target", "nano33ble"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert into_a_closed_pipe(command) == (0, b"")


def test_a_closed_pipe_changes_neither_files_nor_verdict(unet: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "firmware_ref", unet, "--target", "nano33ble", "--map"]
    plan = tmp_path / "plan.tflite"
    returncode, stderr = into_a_closed_pipe([*command, "--write-plan", str(plan)])
    assert returncode == 0 and stderr.startswith(b"wrote ") and plan.is_file()
    assert into_a_closed_pipe([*command, "--reserve-sram", "99999999"]) == (3, b"")


def into_a_closed_pipe(command: list[str]) -> tuple[int, bytes]:
    """Exit code and stderr of a command whose stdout nobody reads."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        stderr = process.stderr.read()
        return process.wait(), stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full stands for a full disk")
@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [[], ["--list-targets"]])
def test_a_full_disk_is_no_traceback(unet: str, arguments: list[str], unbuffered: str) -> None:
    command = [sys.executable, "-m", "firmware_ref", *arguments, unet]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, env=environment)
    assert (done.returncode, done.stderr) == (1, b"error: cannot print: No space left on device.\n")
