"""Every notebook runs from top to bottom, and is committed with outputs of modest size."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
LIMIT_BYTES = 1_000_000


def names() -> list[str]:
    return [path.name for path in NOTEBOOKS]


def test_all_three_are_there():
    assert names() == [
        "01_distil.ipynb",
        "02_quantise_and_convert.ipynb",
        "03_fit_a_chip.ipynb",
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=names())
def test_outputs_are_there_and_small(path):
    assert path.stat().st_size < LIMIT_BYTES
    notebook = json.loads(path.read_text("utf-8"))
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    kinds = [
        kind for cell in cells for output in cell["outputs"] for kind in output.get("data", {})
    ]
    assert "image/png" in kinds
    assert "error" not in {output["output_type"] for cell in cells for output in cell["outputs"]}
    counts = [cell["execution_count"] for cell in cells]
    assert counts == list(range(1, len(cells) + 1))  # run once, in order


@pytest.mark.slow
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=names())
def test_it_runs(path, tmp_path):
    """By nbmake, in a process of its own, as a reader would run it."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            *("--nbmake", "--nbmake-timeout=1200", "--timeout=1400", str(path)),
        ],
        cwd=REPOSITORY,
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
