"""The plan of a study: which methods, scenarios and seeds, and what every cell shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from tfkd.config import Config, Section
from tfkd.config_file import dotted_values, dump_toml, load_config, parse_setting, read_table
from tfkd.errors import ConfigError, nearest
from tfkd.experiment.scenarios import scenario_file
from tfkd.train.run_directory import with_full_path

TUNING_SEED = 1000  # no cell of the study may use it


class Overrides(Section):
    """Tables of a configuration; `load_config` checks their keys."""

    model: dict[str, Any] = {}
    data: dict[str, Any] = {}
    train: dict[str, Any] = {}
    loss: dict[str, Any] = {}
    distill: dict[str, Any] = {}
    quantize: dict[str, Any] = {}


class Training(Overrides):
    """A preset and what departs from it."""

    preset: str


class Pairs(Section):
    """What every cell is scored on; default: the demo corpus' pairs."""

    noisy: str | None = Field(None, description="folder of noisy recordings")
    clean: str | None = Field(None, description="folder of their clean partners")
    limit: int | None = Field(None, ge=1, description="score N pairs, evenly spaced; default: all")


def _several(weights: Any) -> Any:
    """A single lambda as a tuple of one."""
    return (weights,) if isinstance(weights, int | float) else weights


class Study(Section):
    """A study file; its keys are those of the TOML."""

    methods: tuple[str, ...] = Field(min_length=1, description="keys of tfkd.distill.LOSSES")
    scenarios: tuple[str, ...] = Field(("base",), min_length=1)
    seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1)
    settings: tuple[str, ...] = Field((), description="key=value texts that win over all tables")
    weights: dict[str, Annotated[tuple[float, ...], BeforeValidator(_several)]] = Field(
        {}, description="method -> its lambda; several: the best on validation is taken"
    )
    shared: Overrides = Field(Overrides(), description="for the teacher and the students")
    student: Training = Training(preset="tiny")
    teacher: Training | None = Field(
        None, description="a teacher to train first; default: distill.teacher or the shipped one"
    )
    test: Pairs = Pairs()

    @model_validator(mode="after")
    def _check(self) -> Study:
        for key in ("methods", "scenarios", "seeds"):
            values = getattr(self, key)
            if len(set(values)) != len(values):
                raise ValueError(f"{key} must not repeat. Received: {values}.")
        stems = [Path(scenario).stem for scenario in self.scenarios]
        if len(set(stems)) != len(stems):
            raise ValueError(f"two scenarios have the same name. Received: {self.scenarios}.")
        if TUNING_SEED in self.seeds:
            raise ValueError(f"the seed {TUNING_SEED} is the one that lambda is tuned with.")
        if (self.test.noisy is None) != (self.test.clean is None):
            raise ValueError("test.noisy and test.clean belong together; one of them is missing.")
        stray = set(self.weights) - set(self.methods)
        if stray:
            raise ValueError(f"weights names methods that are not studied: {sorted(stray)}.")
        for method, weights in self.weights.items():
            if not weights:
                raise ValueError(f"weights.{method} is empty. Expected at least one lambda.")
            if len({f"{weight:g}" for weight in weights}) != len(weights):
                raise ValueError(
                    f"weights.{method} must not repeat within six digits. Received: {weights}."
                )
        return self


@dataclass(frozen=True)
class Cell:
    """One training of the grid."""

    scenario: str
    method: str
    seed: int
    weight: float | None  # None: the default of the configuration

    @property
    def name(self) -> str:
        """Path below the study's folder."""
        if self.seed == TUNING_SEED:
            return f"tuning/{self.method}/{self.weight:g}"
        return f"cells/{Path(self.scenario).stem}/{self.method}/seed{self.seed}"


def study_names() -> list[str]:
    """Names of the studies that come with tfkd."""
    return sorted(entry.stem for entry in _folder().glob("*.toml"))


def read_study(study: str | Path, settings: Sequence[str] = ()) -> Study:
    """Read a study.

    Args:
        study: a name of `study_names`, or the path of a TOML file.
        settings: "key=value" texts, added to the study's own.

    Raises:
        ConfigError: no such study, not TOML, an unknown key, or a value out of range.
    """
    path = Path(study)
    if path.suffix != ".toml":
        known = study_names()
        if str(study) not in known:
            raise ConfigError(
                f"unknown study '{study}'. Expected the path of a TOML file, or one of "
                f"{', '.join(known)}.{nearest(str(study), known)}"
            )
        path = _folder() / f"{study}.toml"
    try:
        planned = Study.model_validate(read_table(path))
        return planned.model_copy(update={"settings": (*planned.settings, *settings)})
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
            problems.append(f"{path}: {key + ': ' if key else ''}{message}.")
    raise ConfigError("\n".join(problems))


def with_pairs(study: Study, noisy: str | None, clean: str | None) -> Study:
    """The plan with other test pairs, if any are given.

    Raises:
        ConfigError: one folder without the other.
    """
    if noisy is None and clean is None:
        return study
    if noisy is None or clean is None:
        raise ConfigError(
            f"test pairs are two folders, noisy and clean. Received: noisy={noisy}, clean={clean}."
        )
    pairs = study.test.model_copy(update={"noisy": noisy, "clean": clean})
    return study.model_copy(update={"test": pairs})


def dump_study(study: Study) -> str:
    """The plan as TOML text; `read_study` gives back an equal one."""
    return dump_toml(study.model_dump(exclude_none=True))


def tuning_cells(study: Study) -> Iterator[Cell]:
    """One training per candidate lambda, for methods that have several, on the first scenario."""
    for method, weights in study.weights.items():
        if len(weights) > 1:
            for weight in weights:
                yield Cell(study.scenarios[0], method, TUNING_SEED, weight)


def study_cells(study: Study, chosen: Mapping[str, float]) -> list[Cell]:
    """The grid, seed by seed, so that an interrupted study holds complete repeats.

    Args:
        study: the plan.
        chosen: method -> tuned lambda.
    """
    return [
        Cell(scenario, method, seed, chosen.get(method, *study.weights.get(method, (None,))[:1]))
        for seed in study.seeds
        for scenario in study.scenarios
        for method in study.methods
    ]


def cell_config(study: Study, cell: Cell, teacher: Path | None = None) -> Config:
    """The configuration of a cell: preset < scenario < [shared] < [student] < settings < its own.

    Args:
        study: the plan.
        cell: which one.
        teacher: run of the study's own teacher.

    Raises:
        ConfigError: see `load_config`; or something sets a trait of the scenario to another value.
    """
    own: dict[str, Any] = {
        "distill.method": cell.method,
        "distill.weight": cell.weight,
        "train.seed": cell.seed,
    }
    if teacher is not None:
        own["distill.teacher"] = str(teacher)
    if cell.seed == TUNING_SEED:
        own["quantize.steps"] = 0  # lambda is chosen by the float phase
    scenario = scenario_file(cell.scenario)
    config = _config(study, study.student, [scenario], own)
    resolved = dotted_values(config.model_dump(mode="json"))
    for key, value in dotted_values(read_table(scenario)).items():
        if key.startswith("model.") and resolved[key] != value:
            raise ConfigError(
                f"the scenario '{cell.scenario}' is {key} = {value}, which the study sets to "
                f"{resolved[key]}: it would be another scenario. Drop one of the two."
            )
    return with_full_path(config)


def teacher_config(study: Study, teacher: Training) -> Config:
    """The configuration of the study's own teacher: preset < [shared] < [teacher] < settings."""
    return _config(study, teacher, [], {})


def _config(
    study: Study, training: Training, scenario: Sequence[Path], own: Mapping[str, Any]
) -> Config:
    values = {
        **_values(study.shared),
        **_values(training),
        **dict(parse_setting(text) for text in study.settings),
        **own,
    }
    config = load_config(training.preset, scenario, flags=values)
    if config.train.init:
        raise ConfigError(
            f"a study begins with random weights. Expected no train.init. Received: "
            f"{config.train.init}. Drop it."
        )
    return config


def _values(overrides: BaseModel) -> dict[str, Any]:
    return dotted_values(overrides.model_dump(exclude={"preset"}))


def _folder() -> Path:
    return Path(str(files("tfkd"))) / "experiment" / "studies"
