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


@pytest.mark.parametrize(
    ("source", "reason", "ci", "workers", "status"),
    [
        (SKIPPED_TEST, "no compiler", "true", "2", 1),
        (SKIPPED_MODULE, "no compiler", "true", "2", 1),
        (SKIPPED_TEST, "no compiler", "", "0", 0),
        (SKIPPED_TEST, "set TFKD_DATA", "true", "0", 0),
    ],
)
def test_an_unknown_reason_fails_only_in_ci(tmp_path, source, reason, ci, workers, status):
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
