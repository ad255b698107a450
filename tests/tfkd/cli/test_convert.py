"""`tfkd convert` of what is converted already: C code of released models and of any .tflite."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from compiled_c import COMPILERS, needs_compiler
from denoiser_program import compile_program
from gate_model import gate_model

from firmware_ref.cortex_m import missing_tools
from tfkd.config_file import load_config
from tfkd.train.run_directory import RunDirectory

needs_toolchain = pytest.mark.skipif(
    bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}"
)
LSTM = Path(__file__).parents[2] / "firmware_ref" / "models" / "lstm.tflite"
FRONT_END = {"denoiser.h", "denoiser.c", "front_end.h", "front_end.c", "real_fft.c", "float32.h"}


@pytest.fixture
def emit_c(run_tfkd):
    """tfkd convert --tflite-micro ... --emit-c"""
    return lambda *args: run_tfkd("convert", "--tflite-micro", *args, "--emit-c")


@pytest.fixture(autouse=True)
def no_emulation(request, monkeypatch):
    """As if there were no toolchain, except where a test is about it."""
    if "qemu" not in request.keywords:
        monkeypatch.setattr("firmware_ref.cortex_m.missing_tools", lambda: ("arm-none-eabi-gcc",))


@pytest.fixture
def foreign(tmp_path) -> Path:
    """A .tflite with states, without tfkd's metadata."""
    path = tmp_path / "foreign.tflite"
    path.write_bytes(gate_model(metadata={}))
    return path


def test_c_code_of_a_file(emit_c, gate, tmp_path):
    result = emit_c(gate, "-o", tmp_path / "c")
    assert result.exit_code == 0, result.stderr
    files = {path.name for path in (tmp_path / "c").iterdir()}
    assert files > FRONT_END | {"model.h", "model.c", "weights.c", "kernels.c"}
    lines = result.stdout.splitlines()
    assert lines[: len(files)] == sorted(str(tmp_path / "c" / name) for name in files)
    assert f"C code in {tmp_path / 'c'}: tfkd_denoise_hop" in result.stdout


def test_c_code_lies_beside_the_file_by_default(emit_c, gate, tmp_path):
    (tmp_path / "model.tflite").write_bytes(gate.read_bytes())
    assert emit_c(tmp_path / "model.tflite").exit_code == 0
    assert (tmp_path / "c" / "denoiser.c").is_file()


def test_json(emit_c, gate, tmp_path):
    result = emit_c(gate, "-o", tmp_path, "--target", "nano33ble", "--json")
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.convert/1"
    assert report["target"]["fits"] is True
    assert report["c"]["folder"] == str(tmp_path)
    # gate: states of 2 x 64 bytes, kept with the newest frame; a hop of int16 and one of float
    assert report["c"]["state_bytes"] == 3 * 64 + 256 * (2 + 4)
    assert report["c"]["work_bytes"] >= 2 * 512 * 4


def test_a_toolchain_without_a_c_library_is_told(emit_c, gate, tmp_path, monkeypatch):
    from firmware_ref.errors import ToolchainError

    def refused(sources):
        raise ToolchainError("arm-none-eabi-gcc: fatal error: stdint.h: No such file\nin main.c")

    monkeypatch.setattr("firmware_ref.cortex_m.missing_tools", lambda: ())
    monkeypatch.setattr("tfkd.c_denoiser.cost.measure_cost", refused)
    result = emit_c(gate, "-o", tmp_path)
    assert result.exit_code == 0, result.stderr
    said = "a working toolchain (arm-none-eabi-gcc: fatal error: stdint.h: No such file)"
    assert f"{said} not installed" in result.stderr
    assert (tmp_path / "denoiser.c").is_file()


@needs_compiler
def test_a_foreign_model_is_exported_alone(emit_c, foreign, tmp_path):
    result = emit_c(foreign, "-o", tmp_path / "c")
    assert result.exit_code == 0, result.stderr
    assert "carries no front end of tfkd, so the model is alone" in result.stderr
    files = {path.name: path.read_text() for path in (tmp_path / "c").iterdir()}
    assert not files.keys() & FRONT_END
    main = """
    #include "model.h"
    int main(void)
    {
        static tfkd_state state;
        static int8_t in[TFKD_INPUT_SIZE], out[TFKD_OUTPUT_SIZE];
        tfkd_reset(&state);
        tfkd_step(&state, in, out);
        return out[0] != %d;
    }
    """
    # a frame of zeros: logistic(-12 * 0.1) = 0.2315 = 59 / 256
    mask_q = round(256 / (1 + np.exp(12 * 0.1))) - 128
    done = compile_program(files, tmp_path / "p", COMPILERS[0], main=main % mask_q)
    assert done.returncode == 0, done.stderr
    assert os.system(tmp_path / "p" / "program") == 0


def test_a_foreign_model_fits_no_target(emit_c, foreign, tmp_path):
    result = emit_c(foreign, "-o", tmp_path / "c", "--target", "nano33ble")
    assert result.exit_code == 3
    assert "fits nano33ble was not checked" in result.stderr


def test_released_model_by_name(emit_c, gate, tmp_path, monkeypatch):
    for module in ("tfkd.cli.convert", "tfkd.released"):
        monkeypatch.setattr(f"{module}.released_folders", lambda: {"gate": gate.parent})
    result = emit_c("gate", "-o", tmp_path / "c")
    assert result.exit_code == 0, result.stderr
    assert (tmp_path / "c" / "denoiser.c").is_file()
    result = emit_c("gate")
    assert result.exit_code == 2
    assert "say with -o DIR where the C code of a released model goes" in result.stderr
    assert not (gate.parent / "c").exists()


def test_operator_that_the_export_lacks(emit_c, tmp_path):
    result = emit_c(LSTM, "-o", tmp_path / "c")
    assert result.exit_code == 3
    assert "lstm.tflite: cannot become C code: operator 0" in result.stderr
    assert not (tmp_path / "c").exists()


def test_states_that_break_the_contract(emit_c, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(gate_model(new_state_scale=0.5))
    result = emit_c(path)
    assert result.exit_code == 3
    assert "must be the next value of input 1" in result.stderr


@pytest.mark.parametrize("emitted", [True, False])
def test_file_that_is_no_model(emit_c, run_tfkd, tmp_path, emitted):
    (tmp_path / "notes.txt").write_text("no model")
    notes = tmp_path / "notes.txt"
    result = emit_c(notes) if emitted else run_tfkd("convert", "--tflite-micro", notes)
    assert result.exit_code == 1
    assert "notes.txt: is not a usable .tflite model" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_missing_file(emit_c, tmp_path):
    result = emit_c(tmp_path / "none.tflite")
    assert (result.exit_code, result.stderr) == (
        1,
        f"Error: {tmp_path / 'none.tflite'}: no such file.\n",
    )


@pytest.mark.parametrize("emitted", [(), ("--emit-c",)])
def test_mistyped_name_is_answered_with_the_nearest(run_tfkd, tmp_path, monkeypatch, emitted):
    monkeypatch.chdir(tmp_path)
    result = run_tfkd("convert", "--tflite-micro", "micr", *emitted)
    assert result.exit_code == 1
    assert "no model 'micr'" in result.stderr and "Did you mean 'micro'?" in result.stderr


def test_missing_run_is_an_error_before_tensorflow_is_imported(run_tfkd, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tfkd.convert.run", None)
    result = run_tfkd("convert", "--tflite-micro", tmp_path / "runs" / "latest")
    assert result.exit_code == 1
    assert "is not a run directory" in result.stderr


@pytest.mark.parametrize("below", ["", "deeper"])
def test_folder_that_cannot_be_written(emit_c, gate, tmp_path, below):
    (tmp_path / "file").write_text("")
    result = emit_c(gate, "-o", tmp_path / "file" / below)
    assert result.exit_code == 1
    assert str(tmp_path / "file") in result.stderr and len(result.stderr.splitlines()) == 1


def test_a_teacher_is_not_converted(run_tfkd, tmp_path):
    run = RunDirectory.create(tmp_path / "runs", load_config("teacher"), "teacher")
    result = run_tfkd("convert", "--tflite-micro", run.path)
    assert result.exit_code == 1
    assert "is a teacher, of which there is no int8 model. Expected a student" in result.stderr


def test_a_converted_model_needs_emit_c(run_tfkd, gate):
    result = run_tfkd("convert", "--tflite-micro", gate)
    assert result.exit_code == 2
    assert "is converted already; --emit-c writes it as C code" in result.stderr


def test_without_the_toolchain_its_cost_is_left_out(emit_c, gate, tmp_path):
    result = emit_c(gate, "-o", tmp_path)
    assert result.exit_code == 0, result.stderr
    (line,) = result.stderr.splitlines()
    assert line == "Left out its size and speed on a Cortex-M4: arm-none-eabi-gcc not installed."
    assert "RAM: " in result.stdout and "instructions" not in result.stdout


@needs_toolchain
@pytest.mark.qemu
def test_cost_on_a_cortex_m4(emit_c, gate, tmp_path):
    result = emit_c(gate, "-o", tmp_path)
    assert "compiled for a Cortex-M4: text " in result.stdout
    assert "on an emulated Cortex-M4: " in result.stdout
    assert "estimate, not measured, at 64 MHz: " in result.stdout
    other_core = emit_c(gate, "-o", tmp_path, "--target", "pico").stdout
    assert "no estimate on pico: nobody counted for its core" in other_core
    report = json.loads(emit_c(gate, "-o", tmp_path, "--target", "nano33ble", "--json").stdout)
    assert report["c"]["cortex_m4"]["bss_bytes"] == report["c"]["work_bytes"]
    assert report["c"]["target"]["fits"] is True


@needs_toolchain
@pytest.mark.qemu
def test_code_that_does_not_fit_exits_3_with_its_margins(emit_c, gate, tmp_path, monkeypatch):
    monkeypatch.setattr("tfkd.c_denoiser.cost.STACK_BYTES", 10**6)
    result = emit_c(gate, "-o", tmp_path, "--target", "nano33ble")
    assert result.exit_code == 3
    assert "nano33ble: DOES NOT FIT" in result.stdout and "margin -" in result.stdout
    assert "does not fit nano33ble" in result.stderr
