"""What a study.json must hold to be read again; it may have been merged or edited by hand."""

from __future__ import annotations

from collections import Counter

from pydantic import BaseModel, Field, FiniteFloat, model_validator


class Scores(BaseModel):
    """The keys of `tfkd.metrics.METRICS`; null where undefined."""

    pesq_wb: FiniteFloat | None
    stoi: FiniteFloat | None
    estoi: FiniteFloat | None
    si_sdr: FiniteFloat | None


class History(BaseModel):
    """One value per validation."""

    step: list[int]
    latent_cosine: list[FiniteFloat | None] | None = None

    @model_validator(mode="after")
    def _check(self) -> History:
        if self.latent_cosine is not None and len(self.latent_cosine) != len(self.step):
            raise ValueError("latent_cosine and step differ in length")
        return self


class CellKey(BaseModel):
    """Which cell."""

    method: str
    scenario: str
    seed: int


class FinishedCell(CellKey, Scores):
    """A cell with the scores of its float model, its int8 model and the noisy recordings."""

    weight: FiniteFloat | None
    parameters: int
    int8: Scores
    noisy: Scores
    history: History


class Candidate(BaseModel):
    """A lambda that was tried; no loss where that failed."""

    method: str
    weight: FiniteFloat
    valid_supervised_loss: FiniteFloat | None


class StudyTeacher(BaseModel):
    """The study's own teacher."""

    parameters: int
    scores: Scores = Field(alias="float")


class StudyFile(BaseModel):
    """study.json, but for its comparisons, which follow from the cells."""

    weights: dict[str, FiniteFloat]
    tuning: list[Candidate]
    teacher: StudyTeacher | None
    cells: list[FinishedCell]
    failed: list[CellKey]

    @model_validator(mode="after")
    def _check(self) -> StudyFile:
        counts = Counter((c.scenario, c.method, c.seed) for c in (*self.cells, *self.failed))
        twice = [f"{s}/{m}/seed {n}" for (s, m, n), count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"these cells occur more than once: {', '.join(twice)}")
        return self
