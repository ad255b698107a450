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
    assert released.find_tflite("tiny") == package.parent / "tflite" / "tiny" / "model.tflite"


def test_an_installed_package_s_models_come_first(package):
    (package / "released" / "tiny").mkdir(parents=True)
    (package / "released" / "tiny" / "model.tflite").write_bytes(b"")
    assert released.released_folders() == {"tiny": package / "released" / "tiny"}


def test_find_tflite_in_file_folder_and_names(gate, tmp_path):
    assert released.find_tflite(gate) == gate
    assert released.find_tflite(gate.parent) == gate
    with pytest.raises(ModelError, match=r"holds no model\.tflite and is no run directory"):
        released.find_tflite(tmp_path)
    run = tmp_path / "a run"
    run.mkdir()
    (run / "run.json").touch()
    with pytest.raises(
        ModelError, match=r"holds no model\.tflite\. Convert the run first: .* '.*/a run'$"
    ):
        released.find_tflite(run)
    (run / "run.json").write_text('{"kind": "teacher"}')
    with pytest.raises(ModelError, match="a run: is a teacher, of which there is no int8 model"):
        released.find_tflite(run)
    with pytest.raises(ModelError, match="no model 'nowhere'"):
        released.find_tflite("nowhere")


def test_a_folder_that_happens_to_have_a_released_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tiny").mkdir()
    assert released.find_tflite("tiny") == released.released_folders()["tiny"] / "model.tflite"


def test_released_names_are_found_and_the_nearest_is_offered(gate, monkeypatch):
    monkeypatch.setattr(released, "released_folders", lambda: {"gate": gate.parent})
    assert released.find_tflite("gate") == gate
    with pytest.raises(ModelError, match=r"no model 'gait'.*Did you mean 'gate'\?"):
        released.find_tflite("gait")
