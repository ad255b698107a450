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
    lines = {line.split()[0]: line for line in result.stdout.splitlines()[2:]}
    assert "MISSING" in lines["soxr"] and "untested" in lines["rich"]


def test_optional_parts(run_tfkd, monkeypatch):
    """None of them decides the exit code."""
    stated = ["soxr==1.1.0", "sounddevice==0.5.6; extra == 'live'", "ray==2.60.0; extra == 'ray'"]
    stated += [
        "ruff==0.17.6; extra == 'dev'",
        "nothere==1; python_version < '3' and extra == 'ray'",
    ]

    def version(name):
        if name == "ray":
            raise PackageNotFoundError
        return "1.1.0" if name == "soxr" else "0.5.6"

    monkeypatch.setattr(doctor, "requires", lambda name: stated)
    monkeypatch.setattr(doctor, "version", version)
    monkeypatch.setattr(doctor, "find_library", lambda name: None)
    monkeypatch.setattr(
        doctor.shutil, "which", lambda name: f"/bin/{name}" if name == "cc" else None
    )
    result = run_tfkd("doctor")
    assert result.exit_code == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert lines["sounddevice"].split()[1:3] == ["0.5.6", "ok"]
    assert "not installed" in lines["ray"] and "pip install 'tfkd[ray]'" in lines["ray"]
    assert "not found" in lines["portaudio"] and "not found" in lines["qemu-system-arm"]
    assert "not found" in lines["arm-none-eabi-gcc"] and "/bin/cc" in lines["cc"]
    assert "ruff" not in lines
    report = json.loads(run_tfkd("doctor", "--json").stdout)
    assert report["packages"] == {"soxr": {"tested": "1.1.0", "installed": "1.1.0"}}
    assert report["extras"] == {
        "live": {"sounddevice": {"tested": "0.5.6", "installed": "0.5.6"}},
        "ray": {"ray": {"tested": "2.60.0", "installed": None}},
    }
    assert report["libraries"] == {"portaudio": None}
    assert report["tools"] == {"cc": "/bin/cc", "arm-none-eabi-gcc": None, "qemu-system-arm": None}


@pytest.mark.parametrize(("found", "code"), [(("3", "9", "1"), 3), (("3", "13", "0"), 3)])
def test_unsupported_python(run_tfkd, monkeypatch, found, code):
    monkeypatch.setattr(doctor.platform, "python_version_tuple", lambda: found)
    result = run_tfkd("doctor")
    assert result.exit_code == code
    assert "NOT SUPPORTED" in result.stdout
