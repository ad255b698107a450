import json
from importlib.metadata import PackageNotFoundError

import pytest

from tfkd.cli import doctor


def test_report_of_this_environment(run_tfkd):
    result = run_tfkd("doctor", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["schema"] == "tfkd.doctor/1"
    assert report["packages"]["tensorflow"] == {"tested": "2.17.1", "installed": "2.17.1"}
    text = run_tfkd("doctor").stdout
    assert [line.split()[1:] for line in text.splitlines() if " numpy " in line] == [
        ["1.26.4", "ok"]
    ]


def test_missing_and_other_versions(run_tfkd, monkeypatch):
    def version(name):
        if name == "soxr":
            raise PackageNotFoundError
        return "0.0.1" if name == "rich" else "1"

    monkeypatch.setattr(doctor, "version", version)
    result = run_tfkd("doctor")
    assert result.exit_code == 3
    assert "missing: soxr" in result.stderr
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[1:]}
    assert "MISSING" in lines["soxr"] and "untested" in lines["rich"]


@pytest.mark.parametrize(("found", "code"), [(("3", "9", "1"), 3), (("3", "13", "0"), 3)])
def test_unsupported_python(run_tfkd, monkeypatch, found, code):
    monkeypatch.setattr(doctor.platform, "python_version_tuple", lambda: found)
    result = run_tfkd("doctor")
    assert result.exit_code == code
    assert "NOT SUPPORTED" in result.stdout
