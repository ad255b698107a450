"""The plan of a study: which methods, scenarios and seeds, and what every cell shares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError, model_validator

from tfkd.config import Config, Section
from tfkd.config_file import load_config, read_table
from tfkd.errors import ConfigError
from tfkd.experiment.scenarios import scenario_file

TUNING_SEED = 1000  # no cell of the study may use it


class Study(Section):
    """A study file; its keys are those of the TOML."""

    student: str = Field("tiny", description="preset of the student")
    config: tuple[str, ...] = Field((), description="configuration files, before the scenario's")
    settings: tuple[str, ...] = Field((), description="key=value texts as of --set; they win")
    methods: tuple[str, ...] = Field(min_length=1, description="keys of tfkd.distill.LOSSES")
    scenarios: tuple[str, ...] = Field(("base",), min_length=1)
    seeds: tuple[int, ...] = Field((0, 1, 2, 3, 4), min_length=1)
    weights: dict[str, tuple[float, ...]] = Field(
        {}, description="method -> its lambda; several: the best on validation is taken"
    )
    noisy: str | None = Field(None, description="folder of noisy test files; default: the demo's")
    clean: str | None = Field(None, description="folder of their clean partners")
    limit: int | None = Field(None, ge=1, description="score the first N pairs only")

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
        if (self.noisy is None) != (self.clean is None):
            raise ValueError("noisy and clean belong together; one of them is missing.")
        stray = set(self.weights) - set(self.methods)
        if stray:
            raise ValueError(f"weights names methods that are not studied: {sorted(stray)}.")
        for method, weights in self.weights.items():
            if not weights:
                raise ValueError(f"weights.{method} is empty. Expected at least one lambda.")
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
        scenario = Path(self.scenario).stem
        if self.seed == TUNING_SEED:
            return f"tuning/{self.method}/{self.weight:g}"
        return f"cells/{scenario}/{self.method}/seed{self.seed}"


def read_study(path: str | Path) -> Study:
    """Read a study file.

    Raises:
        ConfigError: not TOML, an unknown key, or a value out of range.
    """
    try:
        return Study.model_validate(read_table(path))
    except ValidationError as error:
        problems = []
        for problem in error.errors():
            key = ".".join(str(part) for part in problem["loc"])
            message = str(problem["msg"]).removeprefix("Value error, ").rstrip(".")
            problems.append(f"{path}: {key + ': ' if key else ''}{message}.")
    raise ConfigError("\n".join(problems))


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


def cell_config(study: Study, cell: Cell) -> Config:
    """The configuration of a cell: preset < config files < scenario < settings < the cell's own.

    Raises:
        ConfigError: see `load_config`.
    """
    flags: dict[str, Any] = {
        "distill.method": cell.method,
        "distill.weight": cell.weight,
        "train.seed": cell.seed,
    }
    files: list[str | Path] = [*study.config, scenario_file(cell.scenario)]
    return load_config(study.student, files, study.settings, flags)
