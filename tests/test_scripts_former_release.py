"""What a release takes over from a former one: its arms, and the weights that it begins with."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tfkd.config_file import load_config
from tfkd.errors import ConfigError
from tfkd.released import find_tflite
from tfkd.train.run_directory import RunDirectory

SCRIPTS = Path(__file__).parent.parent / "scripts" / "release"


@pytest.fixture
def script(monkeypatch):
    """Import a module that lies beside make_release.py."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return lambda name: __import__(name)


def former_release(folder: Path, **changes: object) -> Path:
    """release.json of a former tiny, whose arms were trained with another equaliser."""
    config = load_config("tiny", [], ["data.tilt_db=6", "train.steps=7"]).model_dump(mode="json")
    scores = {"pesq_wb": 1.5, "stoi": 0.8, "estoi": 0.7, "si_sdr": 8.0}
    arms = {"steps": 3000, "distilled": [scores, scores], "alone": [scores, scores]}
    path = folder / "release.json"
    path.write_text(json.dumps({"config": config, "comparison": arms} | changes))
    return path


def test_the_arms_of_a_former_release_are_taken_over_with_their_recipe(script, tmp_path):
    path = former_release(tmp_path)
    arms = script("quality").former_comparison(path, load_config("tiny"))
    assert arms["recipe"] == {"data.tilt_db": 6.0}  # not the steps: the arms' are told
    release = {"comparison": arms, "config": load_config("tiny").model_dump(mode="json")}
    text = script("model_card").compared(release)
    assert "trained for a former release, with `data.tilt_db = 6.0`:\n" in text
    hears = ["data.tilt_db=6", "model.frontend.highest_hz=7400"]
    deaf = script("quality").former_comparison(path, load_config("tiny", [], hears))
    assert deaf["recipe"] == {"model.frontend.highest_hz": None}
    text = script("model_card").compared(release | {"comparison": deaf})
    assert "with `model.frontend.highest_hz` not set:\n" in text
    same = script("quality").former_comparison(path, load_config("tiny", [], ["data.tilt_db=6"]))
    assert same["recipe"] == {}
    assert "former" not in script("model_card").compared(release | {"comparison": same})


def test_arms_that_were_taken_over_before_keep_their_recipe(script, tmp_path):
    scores = {"pesq_wb": 1.5, "stoi": 0.8, "estoi": 0.7, "si_sdr": 8.0}
    arms = {"steps": 3000, "distilled": [scores] * 2, "alone": [scores] * 2}
    arms["recipe"] = {"data.tilt_db": 3.0, "data.speed": 0.0}
    path = former_release(tmp_path, comparison=arms)
    now = load_config("tiny", [], ["data.tilt_db=6", "data.speed=0", "data.reverb=0.5"])
    found = script("quality").former_comparison(path, now)
    assert found["recipe"] == {"data.tilt_db": 3.0, "data.reverb": 0.25}


def test_a_former_release_that_does_not_fit_is_refused(script, tmp_path):
    former = script("quality").former_comparison
    with pytest.raises(ConfigError, match="compares nothing"):
        former(former_release(tmp_path, comparison={}), load_config("tiny"))
    for path in (former_release(tmp_path, config={}), tmp_path / "none.json"):
        with pytest.raises(ConfigError, match=r"cannot be read as a release\.json"):
            former(path, load_config("tiny"))
    with pytest.raises(ConfigError, match=r"another model.*the model 'micro' as it is now"):
        former(former_release(tmp_path), load_config("micro"))


def begun_run(folder: Path, init: str, initial: Path) -> RunDirectory:
    """A run of micro that begins with a model."""
    config = load_config("micro", [], ["train.steps=7", f"train.init={init}"])
    return RunDirectory.create(folder, config, "student", initial)


def test_a_release_tells_the_training_of_the_released_model_that_it_began_with(script, tmp_path):
    micro = find_tflite("micro")
    run = begun_run(tmp_path, "micro", micro)
    begun = script("student_release").begun_with(run)
    former = json.loads((micro.parent / "release.json").read_text())
    assert begun == {
        "sha256": hashlib.sha256(micro.read_bytes()).hexdigest(),
        "config": former["config"],
        "begun_with": former.get("begun_with"),
    }
    release = {"config": script("student_release").portable_config(run), "begun_with": begun}
    text = script("model_card").how(release)
    assert text.startswith("Distilled from the teacher (cosine, weight 1): 7 steps of 8 x 3 s")
    assert f"It began with the weights of an int8 model (SHA-256 {begun['sha256'][:16]}...)" in text
    assert text.index(" 7 steps") < text.index(f" {former['config']['train']['steps']:,} steps")


def test_a_release_tells_the_stages_of_a_run(script, tmp_path):
    first = RunDirectory.create(tmp_path, load_config("micro", [], ["train.steps=5"]), "student")
    model = first.path / "model.tflite"
    model.write_bytes(b"int8")
    run = begun_run(tmp_path, str(first.path), model)
    begun = script("student_release").begun_with(run)
    assert (begun["config"]["train"]["steps"], begun["begun_with"]) == (5, None)
    config = script("student_release").portable_config(run)
    assert config["train"]["init"] == first.path.name  # no folder of this machine


def test_weights_of_unknown_origin_are_called_so(script, tmp_path):
    (tmp_path / "other.tflite").write_bytes(b"int8")
    for init in ("micro", str(tmp_path / "other.tflite")):  # released, but not these bytes
        run = begun_run(tmp_path / "runs", init, tmp_path / "other.tflite")
        begun = script("student_release").begun_with(run)
        assert begun["config"] is None
        release = {"config": run.config.model_dump(mode="json"), "begun_with": begun}
        assert "How that was trained is not known." in script("model_card").how(release)


def test_random_weights_are_not_mentioned(script, tmp_path):
    run = RunDirectory.create(tmp_path, load_config("micro"), "student")
    assert script("student_release").begun_with(run) is None
    release = {"config": run.config.model_dump(mode="json"), "begun_with": None}
    assert "began" not in script("model_card").how(release)


def test_a_card_says_that_the_arms_began_otherwise_than_the_release(script, tmp_path):
    config = load_config("tiny", [], ["data.tilt_db=6"]).model_dump(mode="json")
    arms = script("quality").former_comparison(former_release(tmp_path), load_config("tiny"))
    release = {"comparison": arms, "config": config, "begun_with": {"sha256": "0"}}
    compared = script("model_card").compared
    assert "Both arms began with random weights, the released model did not." in compared(release)
    assert "random" not in compared(release | {"begun_with": None})


def test_what_the_former_release_began_with_is_no_part_of_its_arms_recipe(script, tmp_path):
    path = former_release(tmp_path)
    former = json.loads(path.read_text())
    former["config"]["train"]["init"] = "tiny"  # the arms never begin so
    path.write_text(json.dumps(former))
    arms = script("quality").former_comparison(path, load_config("tiny", [], ["train.init=small"]))
    assert arms["recipe"] == {"data.tilt_db": 6.0}
