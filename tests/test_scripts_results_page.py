"""scripts/release/results_page.py: the pages say what the releases' figures say."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
SCRIPTS = REPOSITORY / "scripts" / "release"


@pytest.fixture
def results_page(monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return __import__("results_page")


def test_the_pages_are_current():
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "results_page.py"), "--check"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_changed_figure_changes_the_page(results_page):
    releases = results_page.read_releases(REPOSITORY / "tflite")
    before = results_page.page(releases)
    changed = copy.deepcopy(releases)
    changed["tiny"]["scores"]["systems"]["int8, TFLite Micro"]["pesq_wb"]["mean"] = 4.321
    rows = [line for line in results_page.page(changed).splitlines() if "4.321" in line]
    assert "4.321" not in before
    assert [row.split("|")[1].strip() for row in rows] == ["`tiny`, int8"]


def test_a_teacher_has_a_row_however_many_it_taught(results_page):
    releases = results_page.read_releases(REPOSITORY / "tflite")
    one, other = (copy.deepcopy(releases["tiny"]["scores"]["systems"]) for _ in range(2))
    other["teacher, float"]["pesq_wb"]["mean"] = 4.321
    for name, systems in {"micro": one, "tiny": one, "small": other}.items():
        releases[name]["scores"]["systems"] = systems
    rows = [line.split("|") for line in results_page.page(releases).splitlines()]
    taught = {cells[1].strip(): cells[2] for cells in rows if "teacher of" in "".join(cells)}
    assert list(taught) == ["teacher of `micro` and `tiny`, float", "teacher of `small`, float"]
    assert "4.321" in taught["teacher of `small`, float"]
