"""What every test shares. TensorFlow is not imported here: firmware_ref's tests run without it."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path

import hypothesis
import pytest

# One thread per worker: the tests run on all cores already, and results stay reproducible.
for variable in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
    os.environ.setdefault(variable, "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")

REPOSITORY = Path(__file__).parent.parent
IN_CI = bool(os.environ.get("CI"))
# In continuous integration a test may skip for these reasons only: a part of the reason's text.
ALLOWED_SKIPS = ("TFKD_DATA",)

hypothesis.settings.register_profile(
    "tfkd",
    deadline=None,
    derandomize=IN_CI,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tfkd")

_unexpected_skips = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_unexpected_skips] = []
    config.pluginmanager.register(_SkipWatch(config), "skip-watch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with the longest tests first, by their timeouts: no worker ends with one of these
    while the others have nothing left.
    """
    longest: dict[Path, float] = defaultdict(float)
    for item in items:
        if timeout := item.get_closest_marker("timeout"):
            longest[item.path] = max(longest[item.path], timeout.args[0])
    items.sort(key=lambda item: -longest[item.path])


class _SkipWatch:
    """In continuous integration, a test that skips for an unknown reason fails the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._skips = config.stash[_unexpected_skips]

    def _look(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        if not report.skipped or hasattr(report, "wasxfail"):
            return
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not any(allowed in reason for allowed in ALLOWED_SKIPS):
            self._skips.append(f"{report.nodeid}: {reason}")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._look(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self._look(report)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        controls = not hasattr(session.config, "workerinput")
        if IN_CI and controls and self._skips and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if IN_CI and self._skips:
            terminalreporter.section("skipped in continuous integration for an unknown reason")
            for skip in self._skips:
                terminalreporter.line(skip)


@pytest.fixture(scope="session")
def recordings() -> Path:
    """Real recordings: the folder TFKD_DATA, else ../shared/data beside the repository."""
    given = os.environ.get("TFKD_DATA")
    folder = Path(given) if given else REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("no real recordings here: set TFKD_DATA to a folder with speech/ and noise/")
    return folder
