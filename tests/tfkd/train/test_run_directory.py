"""Run directories are made whole, never reused, and refused when they are not ours."""

import json
from pathlib import Path

import pytest

from tfkd.config_file import load_config
from tfkd.errors import RunError
from tfkd.train.run_directory import RunDirectory


def test_create_then_open(tmp_path):
    config = load_config("micro")
    run = RunDirectory.create(tmp_path, config, "student")
    opened = RunDirectory.open(tmp_path / "latest")
    assert opened.path == run.path.resolve()
    assert (opened.config, opened.kind, opened.state()) == (config, "student", "running")
    environment = json.loads((run.path / "env.json").read_text())
    assert environment["packages"]["tensorflow"]


def test_two_runs_of_one_second_get_two_folders(tmp_path):
    config = load_config("micro")
    first = RunDirectory.create(tmp_path, config, "student")
    second = RunDirectory.create(tmp_path, config, "student")
    assert first.path != second.path
    assert (tmp_path / "latest").resolve() == second.path.resolve()


def test_a_folder_in_the_place_of_the_link_is_refused_and_kept(tmp_path):
    (tmp_path / "latest").mkdir()
    with pytest.raises(RunError, match="latest: is in the way"):
        RunDirectory.create(tmp_path, load_config("micro"), "student")
    assert [path.name for path in tmp_path.iterdir()] == ["latest"]


def test_without_symbolic_links_no_run_is_begun(tmp_path, monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "symlink_to", refuse)
    with pytest.raises(RunError, match="on a file system with symbolic links"):
        RunDirectory.create(tmp_path, load_config("micro"), "student")
    assert list(tmp_path.iterdir()) == []


def test_a_teacher_that_was_the_latest_run_stays_the_teacher(tmp_path):
    teacher = RunDirectory.create(tmp_path, load_config("teacher"), "teacher")
    latest = {"distill.teacher": str(tmp_path / "latest")}
    student = RunDirectory.create(tmp_path, load_config("micro", [], [], latest), "student")
    assert student.config.distill.teacher == str(teacher.path.resolve())
    assert RunDirectory.open(student.path).config == student.config


@pytest.mark.parametrize(("kind", "name"), [("student", "tflite"), ("teacher", "weights.h5")])
def test_a_run_keeps_what_it_begins_with(tmp_path, kind, name):
    (tmp_path / "trained").write_bytes(b"weights")
    config = load_config("micro", settings=["train.init=trained"])
    run = RunDirectory.create(tmp_path / "runs", config, kind, tmp_path / "trained")
    assert run.initial_weights == run.path / f"init.{name}"
    assert run.initial_weights.read_bytes() == b"weights"


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(RunError, match="is not a run directory"):
        RunDirectory.open(tmp_path)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(RunError, match="cannot be read as a run record"):
        RunDirectory.open(tmp_path)
    (tmp_path / "run.json").write_text('{"schema": 99, "kind": "student"}')
    with pytest.raises(RunError, match="schema 99.*reads schema 1"):
        RunDirectory.open(tmp_path)


@pytest.mark.parametrize(
    "text", ['{"schema": 1, "kind": "student"}', '{"schema": 1,', "[1]", "\xff"]
)
def test_damaged_records_are_named(tmp_path, text):
    run = RunDirectory.create(tmp_path, load_config("micro"), "student")
    (run.path / "run.json").write_text(text, "latin-1")
    with pytest.raises(RunError, match=r"run\.json: cannot be read as a run record"):
        RunDirectory.open(run.path)
    if "kind" not in text:
        (run.path / "env.json").write_text(text, "latin-1")
        for read in (run.check_recordings, run.threads):
            with pytest.raises(RunError, match=r"env\.json: cannot be read as a run record"):
                read()


def test_a_path_that_tensorflow_takes_for_a_pattern_is_refused(tmp_path):
    config = load_config("micro")
    with pytest.raises(RunError, match=r"holds one of the characters \* \? \["):
        RunDirectory.create(tmp_path / "[2024]", config, "student")
    with pytest.raises(RunError, match="Choose another folder"):
        RunDirectory.create_at(tmp_path / "what?" / "seed0", config, "student")
    assert not list(tmp_path.iterdir())


def test_a_run_goes_on_with_the_recordings_that_it_began_with(tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    for folder in (here, there):
        (folder / "speech").mkdir(parents=True)
    monkeypatch.chdir(here)
    config = load_config("micro", flags={"data.speech": "speech", "data.noise": str(there)})
    run = RunDirectory.create("runs", config, "student")
    path = run.path.resolve()
    RunDirectory.open(path).check_recordings()
    monkeypatch.chdir(there)
    with pytest.raises(RunError, match=rf"its recordings are {here}/speech.*: cd {here}"):
        RunDirectory.open(path).check_recordings()
    (here / "speech").rmdir()  # such as on another machine
    RunDirectory.open(path).check_recordings()
