from __future__ import annotations

import json
from pathlib import Path

import pytest

from tfkd.data import demo


@pytest.fixture(autouse=True)
def quick_corpus(monkeypatch):
    """The corpus itself has its own tests."""
    monkeypatch.setattr(demo, "_write_noise", lambda folder: folder.mkdir())
    monkeypatch.setattr(demo, "_write_pairs", lambda folder: folder.mkdir())


def test_the_folders_are_printed(run_tfkd, tmp_path):
    result = run_tfkd("data", "demo", "-o", tmp_path / "demo")
    assert result.exit_code == 0
    assert f"noise: {tmp_path / 'demo' / 'noise'}\n" in result.stdout
    assert (tmp_path / "demo" / "noise").is_dir()


def test_json_names_the_same_folders(run_tfkd, tmp_path):
    result = run_tfkd("data", "demo", "-o", tmp_path / "demo", "--json")
    folders = json.loads(result.stdout)
    assert folders.pop("schema") == "tfkd.data-demo/1"
    assert list(folders) == ["speech", "noise", "noisy", "clean"]
    assert Path(folders["clean"]) == tmp_path / "demo" / "pairs" / "clean"


def test_an_unwritable_folder_is_an_error(run_tfkd, tmp_path):
    (tmp_path / "file").write_text("")
    result = run_tfkd("data", "demo", "-o", tmp_path / "file" / "demo")
    assert result.exit_code == 1
    assert "the demo corpus cannot be written" in result.stderr
