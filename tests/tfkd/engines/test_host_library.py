"""C sources become functions; what stands in the way is named."""

import os
import stat
from tempfile import gettempdir

import pytest
from compiled_c import COMPILERS, needs_compiler

from tfkd.engines.host_library import find_compiler, host_library
from tfkd.errors import MissingPackageError, ModelError

FILES = {
    "twice.h": "int twice(int x);",
    "twice.c": '#include "twice.h"\nint twice(int x)\n{\n    return 2 * x;\n}\n',
}


@needs_compiler
def test_functions_can_be_called_and_no_file_stays():
    before = {name for name in os.listdir(gettempdir()) if name.startswith("tfkd-")}
    assert host_library(FILES).twice(21) == 42
    assert {name for name in os.listdir(gettempdir()) if name.startswith("tfkd-")} <= before


@needs_compiler
def test_refused_code_is_quoted():
    with pytest.raises(ModelError, match=r"refuses the exported C code: wrong\.c.*error"):
        host_library({"wrong.c": "int f(void) { return missing; }"})


def test_missing_compiler_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    with pytest.raises(MissingPackageError, match="no C compiler.*firmware-ref"):
        host_library(FILES)


@pytest.fixture
def my_compiler(monkeypatch, tmp_path):
    """A function that makes a shell script the compiler, with words behind its name."""

    def named(script, options=""):
        path = tmp_path / "mycc"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("CC", f"{path}{options}")
        return str(path)

    return named


def test_cc_names_the_compiler(my_compiler):
    compiler = my_compiler("echo mycc says no >&2; exit 7")
    assert find_compiler() == [compiler]
    with pytest.raises(ModelError, match="mycc refuses the exported C code: mycc says no"):
        host_library(FILES)


@needs_compiler
def test_cc_may_be_a_command_of_several_words(my_compiler):
    compiler = my_compiler('exec "$@"', f" {COMPILERS[0]}")
    assert find_compiler() == [compiler, COMPILERS[0]]
    assert host_library(FILES).twice(21) == 42


def test_a_compiler_that_does_not_end_is_named(my_compiler, monkeypatch):
    my_compiler("exec sleep 60")
    monkeypatch.setattr("tfkd.engines.host_library.COMPILE_TIMEOUT_S", 0.1)
    with pytest.raises(ModelError, match="mycc took more than 0.1 s.*or use the engine"):
        host_library(FILES)


def test_a_temporary_folder_that_holds_no_programs(monkeypatch):
    def refuse(path):
        raise OSError(f"{path}: failed to map segment from shared object")

    monkeypatch.setattr("tfkd.engines.host_library.ctypes.PyDLL", refuse)
    with pytest.raises(ModelError, match="failed to map segment.*TMPDIR.*firmware-ref"):
        host_library(FILES)
