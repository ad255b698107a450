from __future__ import annotations

import pytest

from tfkd import released
from tfkd.errors import ModelError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package folder whose repository has two released models."""
    for name in ("micro", "tiny"):
        (tmp_path / "tflite" / name).mkdir(parents=True)
        (tmp_path / "tflite" / name / "model.tflite").write_bytes(b"")
    (tmp_path / "tflite" / "unfinished").mkdir()
    monkeypatch.setattr(released, "_PACKAGE", tmp_path / "tfkd")
    return tmp_path / "tfkd"


def test_the_repository_s_models_are_found(package):
    assert list(released.released_folders()) == ["micro", "tiny"]
    assert released.released_model("tiny") == package.parent / "tflite" / "tiny" / "model.tflite"


def test_an_installed_package_s_models_come_first(package):
    (package / "released" / "tiny").mkdir(parents=True)
    (package / "released" / "tiny" / "model.tflite").write_bytes(b"")
    assert released.released_folders() == {"tiny": package / "released" / "tiny"}


def test_an_unknown_name_is_answered_with_the_nearest(package):
    with pytest.raises(ModelError, match=r"'tny'. Did you mean 'tiny'\? Released: micro, tiny\."):
        released.released_model("tny")
