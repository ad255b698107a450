"""What a study was made with, for whoever reads its numbers later."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from tfkd.experiment.study import Study, cell_config, study_cells
from tfkd.models.teacher import teacher_weights
from tfkd.train.run_directory import environment


def made_with(plan: Study, own_teacher: Path | None) -> dict[str, Any]:
    """The plan, versions and machine, and what tells its teacher from any other.

    Args:
        own_teacher: run directory of the teacher that the study trained, if it did.

    Returns:
        plan; environment (see `tfkd.train.run_directory.environment`); teacher_sha256, of the
        weights of the teacher that the students were distilled from.
    """
    cell = study_cells(plan, {})[0]
    weights = teacher_weights(cell_config(plan, cell, own_teacher).distill.teacher)
    return {
        "plan": plan.model_dump(mode="json", exclude_none=True),
        "environment": environment(),
        "teacher_sha256": hashlib.sha256(weights).hexdigest(),
    }
