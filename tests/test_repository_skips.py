"""In continuous integration no test may skip unseen (tests/conftest.py)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).parent / "conftest.py"
SKIPPED_TEST = "import pytest\ndef test_it():\n    pytest.skip({reason!r})\n"
SKIPPED_MODULE = "import pytest\npytest.skip({reason!r}, allow_module_level=True)\n"
PASSING = "def test_passing():\n    pass\n"


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_MODULE])
@pytest.mark.parametrize(
    ("reason", "ci", "status"),
    [("no compiler", "true", 1), ("no compiler", "", 0), ("set TFKD_DATA", "true", 0)],
)
def test_an_unknown_reason_fails_only_in_ci(tmp_path, source, reason, ci, status, workers):
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_it.py").write_text(source.format(reason=reason))
    (tmp_path / "test_passing.py").write_text(PASSING)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", workers, "-p", "no:cacheprovider"],
        cwd=tmp_path,
        env=os.environ | {"CI": ci},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("for an unknown reason" in done.stdout) == bool(status)
