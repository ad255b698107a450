"""The grid without training: a stand-in writes what a cell would."""

import json

import pytest

from tfkd.errors import ConfigError, RunError
from tfkd.experiment import grid
from tfkd.experiment.study import Study, cell_config, read_study, study_cells, tuning_cells

METRICS = ("pesq_wb", "stoi", "estoi", "si_sdr")


@pytest.fixture
def trainings(monkeypatch):
    """Every cell process becomes an entry of this list; `cosine` of seed 1 fails."""
    started = []

    def run(command, log_file):
        folder = json.loads(command[-1])["folder"]
        started.append(folder)
        if folder.endswith("cells/base/cosine/seed1"):
            log_file.write_text("Error: out of luck\n")
            return 1
        weight = grid.RunDirectory.open(folder).config.distill.weight
        scores = dict.fromkeys(METRICS, 1.0)
        result = {"valid_supervised_loss": abs(weight - 0.3), "float": scores, "int8": scores}
        with open(f"{folder}/cell.json", "w") as file:
            json.dump(result, file)
        return 0

    monkeypatch.setattr(grid, "run_process", run)
    return started


def study(**changes):
    return Study(
        **{
            "methods": ("none", "cosine"),
            "seeds": (0, 1),
            "weights": {"cosine": (0.1, 0.2, 0.5)},
            **changes,
        }
    )


def test_lambda_is_tuned_on_validation(tmp_path, trainings):
    plan = study()
    assert len(list(tuning_cells(plan))) == 3
    assert grid.Grid(plan, tmp_path).tune() == {"cosine": 0.2}
    assert study_cells(plan, {"cosine": 0.2})[1].weight == 0.2


def test_a_failed_cell_stops_no_other(tmp_path, trainings):
    told = []
    outcomes = grid.Grid(study(), tmp_path, 2, told.append).run({}, tmp_path, tmp_path)
    assert [(o.cell.seed, o.cell.method, o.failure) for o in outcomes] == [
        (0, "none", None),
        (0, "cosine", None),
        (1, "none", None),
        (1, "cosine", "exit code 1; it said last: Error: out of luck"),
    ]
    assert len(told) == 4


def test_only_unfinished_and_changed_cells_run_again(tmp_path, trainings):
    grid.Grid(study(), tmp_path).run({}, tmp_path, tmp_path)
    trainings.clear()
    grid.Grid(study(), tmp_path).run({}, tmp_path, tmp_path)
    assert [path.rpartition("base/")[2] for path in trainings] == ["cosine/seed1"]
    trainings.clear()
    grid.Grid(study(), tmp_path).run({"cosine": 0.5}, tmp_path, tmp_path)
    assert sorted(path.rpartition("base/")[2] for path in trainings) == [
        "cosine/seed0",
        "cosine/seed1",
    ]


def test_no_lambda_at_all(tmp_path, monkeypatch):
    def fail(command, log_file):
        log_file.touch()
        return 7

    monkeypatch.setattr(grid, "run_process", fail)
    with pytest.raises(RunError, match="no lambda of 'cosine' could be trained.*exit code 7"):
        grid.Grid(study(), tmp_path).tune()


def test_cells_of_a_seed_differ_in_the_method_only():
    plan = study(scenarios=("width",))
    one, other = (cell_config(plan, cell) for cell in study_cells(plan, {})[:2])
    assert one.model == other.model and one.model.channels == (8, 12, 12)
    assert (one.data, one.train, one.quantize) == (other.data, other.train, other.quantize)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('methods = ["none", "none"]', "methods must not repeat"),
        ('methods = ["none"]\nseeds = [1000]', "the one that lambda is tuned with"),
        ('methods = ["none"]\nscenarios = ["width", "a/width.toml"]', "have the same name"),
        ('methods = ["none"]\nnoisy = "x"', "noisy and clean belong together"),
        ('methods = ["none"]\nweights = {hint = [1.0]}', r"not studied: \['hint'\]"),
        ('method = ["none"]', "method: Extra inputs are not permitted"),
    ],
)
def test_wrong_plans(tmp_path, text, message):
    path = tmp_path / "study.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_study(path)
