"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firmware_ref.whole_file import whole_file, write_together


def test_file_appears_on_success_only(tmp_path: Path) -> None:
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(KeyError), whole_file(target) as temporary:
        temporary.write_text("half")
        raise KeyError
    assert target.read_text() == "old"
    with whole_file(target) as temporary:
        temporary.write_text("whole")
    assert target.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_or_device_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with whole_file(path) as given:
            assert given == path
    assert pipe.is_fifo() and Path(os.devnull).is_char_device()


def test_the_longest_names_can_be_written(tmp_path: Path) -> None:
    for name in ("x" * 251 + ".wav", "あ" * 83 + ".wav"):
        with whole_file(tmp_path / name) as temporary:
            assert temporary.suffix == ".wav"
            temporary.write_text("whole")
        assert (tmp_path / name).read_text() == "whole"


def test_files_that_belong_together_are_replaced_together(tmp_path: Path) -> None:
    write_together(tmp_path / "c", {"model.h": "one", "model.c": "one"})
    bad_name = "no/folder.c"
    with pytest.raises(OSError) as failed:
        write_together(tmp_path / "c", {"model.h": "two", bad_name: "two", "model.c": "two"})
    assert failed.value.filename == str(tmp_path / "c" / bad_name)
    texts = {path.name: path.read_text() for path in (tmp_path / "c").iterdir()}
    assert texts == {"model.h": "one", "model.c": "one"}
    write_together(tmp_path / "c", {"model.h": "two", "model.c": "two"})
    assert {path.read_text() for path in (tmp_path / "c").iterdir()} == {"two"}
