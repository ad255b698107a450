"""C sources become functions; what stands in the way is named."""

import os
import stat
from tempfile import gettempdir

import pytest
from compiled_c import needs_compiler

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


def test_cc_names_the_compiler(monkeypatch, tmp_path):
    compiler = tmp_path / "mycc"
    compiler.write_text("#!/bin/sh\necho mycc says no >&2\nexit 7\n")
    compiler.chmod(compiler.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CC", str(compiler))
    assert find_compiler() == str(compiler)
    with pytest.raises(ModelError, match="mycc refuses the exported C code: mycc says no"):
        host_library(FILES)
