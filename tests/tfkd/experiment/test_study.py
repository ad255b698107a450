"""Plans: what they refuse, what the cells share, and the way to disk and back."""

from pathlib import Path

import pytest

from tfkd.config import Config
from tfkd.errors import ConfigError
from tfkd.experiment.study import (
    Overrides,
    Study,
    cell_config,
    dump_study,
    read_study,
    study_cells,
    study_names,
    teacher_config,
    tuning_cells,
    with_pairs,
)

DOCUMENTED = Path(__file__).parents[3] / "docs" / "study"
PLAN = """
methods = ["none", "cosine"]
scenarios = ["width"]
seeds = [0, 1]
settings = ["data.segment_s=1.5"]
[weights]
cosine = [0.1, 0.2]
[shared.train]
batch = 4
steps = 50
[student]
preset = "tiny"
[student.train]
steps = 30
[teacher]
preset = "teacher"
[teacher.data]
segment_s = 2.0
"""


@pytest.fixture
def plan(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text(PLAN)
    return read_study(path)


def test_cells_of_a_seed_differ_in_the_method_only(plan):
    one, other = (cell_config(plan, cell) for cell in study_cells(plan, {})[:2])
    assert one.model == other.model and one.model.channels == (8, 12, 12)
    assert (one.data, one.train, one.quantize) == (other.data, other.train, other.quantize)
    assert one.distill.method == "none" and other.distill.method == "cosine"


def test_who_wins(plan, tmp_path):
    teacher = teacher_config(plan, plan.teacher)
    student = cell_config(plan, study_cells(plan, {"cosine": 0.2})[1], tmp_path)
    assert (teacher.train.batch, teacher.train.steps) == (4, 50)
    assert (student.train.batch, student.train.steps) == (4, 30)
    assert teacher.data.segment_s == student.data.segment_s == 1.5
    assert (student.distill.weight, student.distill.teacher) == (0.2, str(tmp_path))
    assert read_study("smallest", ["train.steps=3"]).settings == ("train.steps=3",)


def test_every_section_of_a_configuration_can_be_overridden():
    assert set(Overrides.model_fields) == set(Config.model_fields)


def test_settings_are_added_to_a_checked_plan(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('methods = ["none"]\nsettings = 5\n')
    with pytest.raises(ConfigError, match=r"study\.toml: settings: "):
        read_study(path, ["train.steps=3"])


def test_lambda_is_tuned_in_the_float_phase_with_a_seed_of_its_own(plan):
    cells = list(tuning_cells(plan))
    assert [cell.name for cell in cells] == ["tuning/cosine/0.1", "tuning/cosine/0.2"]
    config = cell_config(plan, cells[0])
    assert config.quantize.steps == 0 and config.train.steps == 30
    assert config.train.seed not in plan.seeds


def test_a_plan_comes_back_from_disk(plan, tmp_path):
    other = with_pairs(plan, "noisy", "clean")
    path = tmp_path / "again.toml"
    for study in (plan, other, *map(read_study, study_names())):
        path.write_text(dump_study(study))
        assert read_study(path) == study


def test_pairs_are_two_folders(plan):
    assert with_pairs(plan, None, None) is plan
    with pytest.raises(ConfigError, match="two folders.*clean=None"):
        with_pairs(plan, "noisy", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('methods = ["none", "none"]', "methods must not repeat"),
        ('methods = ["none"]\nseeds = [1000]', "the one that lambda is tuned with"),
        ('methods = ["none"]\nscenarios = ["width", "a/width.toml"]', "have the same name"),
        ('methods = ["none"]\ntest = {noisy = "x"}', "test.noisy and test.clean belong together"),
        ('methods = ["none"]\nweights = {hint = [1.0]}', r"not studied: \['hint'\]"),
        ('methods = ["none"]\nweights = {none = []}', "weights.none is empty"),
        (
            'methods = ["hint"]\nweights = {hint = [0.1, 0.1000000001]}',
            "weights.hint must not repeat within six digits",
        ),
        ('methods = ["hint"]\nweights = {hint = "much"}', "weights.hint: Input should be a valid"),
        ('method = ["none"]', "method: Extra inputs are not permitted"),
    ],
)
def test_wrong_plans(tmp_path, text, message):
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_study(path)


def test_a_single_lambda_needs_no_list():
    plan = Study(methods=("hint",), weights={"hint": 0.5})
    assert plan.weights == {"hint": (0.5,)} and not list(tuning_cells(plan))
    assert cell_config(plan, study_cells(plan, {})[0]).distill.weight == 0.5


@pytest.mark.parametrize(
    "changes",
    [
        {"student": {"preset": "tiny", "model": {"latent": 32}}},
        {"shared": {"model": {"latent": 32}}},
        {"settings": ("model.latent=32",)},
    ],
)
def test_nothing_takes_a_scenario_its_mismatch(changes):
    plan = Study(methods=("none",), scenarios=("latent",), seeds=(0,), **changes)
    with pytest.raises(ConfigError, match="'latent' is model.latent = 16, .* sets to 32"):
        cell_config(plan, study_cells(plan, {})[0])
    same = plan.model_copy(update={"scenarios": ("base",)})
    assert cell_config(same, study_cells(same, {})[0]).model.latent == 32


def test_a_teacher_is_the_run_that_a_link_means_now(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    link = tmp_path / "latest"
    plan = Study(methods=("hint",), settings=(f"distill.teacher={link}",))
    for name in ("first", "second"):
        link.unlink(missing_ok=True)
        link.symlink_to(name)
        config = cell_config(plan, study_cells(plan, {})[0])
        assert config.distill.teacher == str(tmp_path / name)


def test_a_study_begins_with_random_weights(plan):
    begun = plan.model_copy(update={"settings": ("train.init=tiny",)})
    with pytest.raises(ConfigError, match=r"Expected no train\.init\. Received: tiny"):
        cell_config(begun, study_cells(begun, {})[0])
    with pytest.raises(ConfigError, match=r"Expected no train\.init\. Received: tiny"):
        teacher_config(begun, begun.teacher)


def test_unknown_studies_and_keys():
    with pytest.raises(ConfigError, match=r"unknown study 'smalest'.*Did you mean 'smallest'\?"):
        read_study("smalest")
    plan = Study(methods=("none",), settings=("train.stepz=3",))
    with pytest.raises(ConfigError, match=r"'train.stepz'.*Did you mean 'train.steps'\?"):
        cell_config(plan, study_cells(plan, {})[0])


@pytest.mark.parametrize("path", sorted(DOCUMENTED.glob("*.toml")), ids=lambda path: path.name)
def test_documented_studies_can_be_run(path):
    plan = read_study(path)
    for cell in (*tuning_cells(plan), *study_cells(plan, {})):
        assert cell_config(plan, cell).data.speech == "speech"
