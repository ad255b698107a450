"""`python -m firmware_ref.c_export`: what it writes and prints, and its exit codes."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest
from streaming_student import streaming_student

from firmware_ref import read_model
from firmware_ref.c_export import export_c
from firmware_ref.c_export.__main__ import main
from firmware_ref.cortex_m import missing_tools
from firmware_ref.macs import model_macs


@pytest.fixture
def student(tmp_path):
    path = tmp_path / "student.tflite"
    path.write_bytes(streaming_student())
    return path


def test_writes_the_files(student, tmp_path, capsys):
    folder = tmp_path / "new" / "c"
    assert main([str(student), "-o", str(folder)]) == 0
    files = export_c(read_model(student)).files
    assert {path.name: path.read_text() for path in folder.iterdir()} == files
    assert capsys.readouterr().out.splitlines() == [str(folder / name) for name in files]


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_all_files_are_written_when_nobody_reads_their_names(student, tmp_path, unbuffered):
    command = [sys.executable, "-m", "firmware_ref.c_export", str(student), "-o", tmp_path / "c"]
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, **pipes) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0
    files = export_c(read_model(student)).files
    assert {path.name for path in (tmp_path / "c").iterdir()} == set(files)


@pytest.mark.qemu
@pytest.mark.skipif(bool(missing_tools()), reason=f"not installed: {', '.join(missing_tools())}")
def test_measures_on_every_core(student, capsys):
    assert main([str(student), "--measure"]) == 0
    memory, macs, heading, *rows = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"RAM: \d+ bytes \(state 168, work \d+\); .*\(ratio 0\.\d\d\)", memory)
    columns = "core kernels instructions per MAC code bytes constant bytes stack bytes"
    assert heading.split() == columns.split()
    assert [row.split()[:2] for row in rows] == [
        ["cortex-m0plus", "plain"],
        ["cortex-m4", "plain"],
        ["cortex-m4", "DSP"],
        ["cortex-m55", "plain"],
        ["cortex-m55", "Helium"],
    ]
    assert macs == f"{model_macs(read_model(student)):,} MACs per step"


def test_a_damaged_file_is_an_error(tmp_path, capsys):
    (tmp_path / "broken.tflite").write_bytes(b"TFL3")
    assert main([str(tmp_path / "broken.tflite"), "-o", str(tmp_path)]) == 1
    assert capsys.readouterr().err.startswith("error: ")


def test_nothing_to_do_is_a_wrong_usage(student, capsys):
    with pytest.raises(SystemExit) as stop:
        main([str(student)])
    assert stop.value.code == 2
    assert "say where to write the files with -o FOLDER" in capsys.readouterr().err


def test_an_interruption_has_its_exit_code(student, tmp_path, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("firmware_ref.c_export.__main__.read_model", interrupted)
    assert main([str(student), "-o", str(tmp_path / "c")]) == 130
    assert not (tmp_path / "c").exists()
