import shutil

import pytest
from small_run import small_run

from tfkd.engines.choice import default_engine
from tfkd.errors import ModelError
from tfkd.report.subject import open_subject
from tfkd.train.run_directory import RunDirectory


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("runs"))


@pytest.fixture
def run(made, tmp_path):
    """A copy, to change."""
    shutil.copytree(made.path, tmp_path / "run")
    return RunDirectory.open(tmp_path / "run")


def test_a_run_that_is_not_converted_is_converted_elsewhere(run, tmp_path):
    before = sorted(path.name for path in run.path.iterdir())
    subject = open_subject(run.path, tmp_path / "scratch")
    assert list(subject.engines) == ["float", "int8"]
    assert subject.tflite == tmp_path / "scratch" / "model.tflite"
    assert subject.is_converted_here
    assert sorted(path.name for path in run.path.iterdir()) == before
    (run.path / "model.tflite").write_bytes(subject.tflite.read_bytes())
    subject = open_subject(run.path, tmp_path / "unused")
    assert subject.tflite == run.path / "model.tflite"
    assert not subject.is_converted_here


def test_a_run_before_its_second_phase_has_float_alone(run, tmp_path):
    run.qat_weights.unlink()
    subject = open_subject(run.path, tmp_path)
    assert list(subject.engines) == ["float"]
    assert subject.tflite is None


def test_a_model_file_has_int8_alone(gate, tmp_path):
    subject = open_subject(gate, tmp_path)
    assert (subject.name, subject.run, list(subject.engines)) == ("gate", None, ["int8"])
    assert subject.int8_engine == default_engine()
    assert open_subject("tiny", tmp_path).name == "tiny"


def test_no_such_model(tmp_path):
    with pytest.raises(ModelError, match="no model 'tinny'.*Did you mean 'tiny'"):
        open_subject("tinny", tmp_path)


def test_a_rate_that_cannot_be_scored_is_refused(tmp_path):
    from gate_model import gate_model

    path = tmp_path / "model.tflite"
    frontend = {"bands": 64, "sample_rate": 8000}
    path.write_bytes(
        gate_model(metadata={"schema": 1, "name": "g", "version": "0", "frontend": frontend})
    )
    with pytest.raises(ModelError, match="works at 8000 Hz.*measured at 16000 Hz"):
        open_subject(path, tmp_path)
