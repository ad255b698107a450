"""The C array compiles, is aligned and holds the model; the resolver names every operator."""

import shutil
import subprocess

import pytest

from tfkd.convert.c_array import header, source
from tfkd.convert.op_resolver import METHODS, resolver_snippet

STATES = [(12, -128), (5, 7)]


@pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")
def test_array_compiles_and_holds_the_bytes(tmp_path):
    content = bytes(range(256)) + b"\x00\xff"
    (tmp_path / "model_data.h").write_text(header("my-model", STATES))
    (tmp_path / "model_data.cc").write_text(source("my-model", content, STATES))
    (tmp_path / "main.cc").write_text(
        """#include "model_data.h"
#include <cstdio>
int main() {
  if (reinterpret_cast<uintptr_t>(kTfkdMyModelModel) % 16) return 1;
  fwrite(kTfkdMyModelModel, 1, kTfkdMyModelModelSize, stdout);
  for (int i = 0; i < kTfkdMyModelStateCount; ++i)
    fprintf(stderr, "%zu %d ", kTfkdMyModelStateBytes[i], kTfkdMyModelStateZeroPoint[i]);
}
"""
    )
    subprocess.run(
        ["g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "main.cc", "model_data.cc"],
        cwd=tmp_path,
        check=True,
    )
    result = subprocess.run([tmp_path / "a.out"], capture_output=True, check=True)
    assert result.stdout == content
    assert result.stderr == b"12 -128 5 7 "


def test_resolver_registers_each_operator_once():
    text = resolver_snippet(["CONV_2D", "ADD", "CONV_2D"])
    assert "MicroMutableOpResolver<2>" in text
    assert text.index("AddAdd") < text.index("AddConv2D")
    assert text.count("resolver.Add") == 2


def test_methods_are_those_of_tflite_micro():
    assert METHODS["CONV_2D"] == "AddConv2D"
    assert len(set(METHODS.values())) == len(METHODS)
