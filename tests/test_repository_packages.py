"""One list of dependencies, in pyproject.toml: requirements, imports and a wheel agree with it."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).parent.parent
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
SUPPORTED = ("3.10", "3.11", "3.12")


def pins(requirements: list[str], python: str) -> dict[str, str]:
    """Name -> exact version on Linux x86-64 with the given Python."""
    environment = {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "sys_platform": "linux",
    }
    found: dict[str, str] = {}
    for requirement in map(Requirement, requirements):
        if requirement.marker is None or requirement.marker.evaluate(environment):
            (specifier,) = requirement.specifier
            assert specifier.operator == "==", requirement
            name = canonicalize_name(requirement.name)
            assert name not in found, f"two versions of {name}"
            found[name] = specifier.version
    return found


def locked_lines() -> list[str]:
    lines = (REPOSITORY / "requirements.txt").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("python", SUPPORTED)
def test_requirements_hold_every_pin_of_the_project(python):
    extras = PROJECT["optional-dependencies"].values()
    declared = PROJECT["dependencies"] + [line for extra in extras for line in extra]
    declared = [line for line in declared if not line.startswith("tfkd[")]
    locked = pins(locked_lines(), python)
    assert pins(declared, python).items() <= locked.items()
    assert len(locked) > len(declared)


def test_the_supported_pythons_are_stated_alike():
    assert PROJECT["requires-python"] == ">=3.10,<3.13"
    stated = [line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if " Python :: " in line]
    assert tuple(stated) == SUPPORTED


def imported_packages(*rooms: str) -> set[str]:
    """Top-level names that the sources import, anywhere in a file."""
    names = set()
    for room in rooms:
        for path in (REPOSITORY / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    names |= {alias.name.split(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                    names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"tfkd", "firmware_ref"}


def names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def test_what_is_imported_is_what_is_declared():
    distributions = packages_distributions()
    imported = {
        canonicalize_name(distributions.get(name, [name])[0])
        for name in imported_packages("tfkd", "firmware_ref")
    }
    declared = names(PROJECT["dependencies"])
    extras = PROJECT["optional-dependencies"]
    optional = names([line for extra in extras if extra != "dev" for line in extras[extra]])
    assert imported - optional | {"tomli"} == declared | {"tomli"}


def can_install(python_version: tuple[int, int, int], path: str = os.defpath) -> str:
    """The complaint of scripts/can_install.py under a given Python version and PATH."""
    code = (
        f"import sys, platform, runpy; sys.version_info = {python_version!r}; "
        f"platform.python_version = lambda: {'.'.join(map(str, python_version))!r}; "
        f"runpy.run_path('scripts/can_install.py')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env=os.environ | {"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == bool(done.stderr)
    return done.stderr


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 13, 0), (2, 7, 18)])
def test_an_unsupported_python_is_named_in_one_line(version):
    (line,) = can_install(version).splitlines()
    assert line.startswith("tfkd needs Python 3.10, 3.11 or 3.12")
    assert f"Python {'.'.join(map(str, version))}." in line


def test_a_missing_compiler_is_named_in_one_line(tmp_path):
    (line,) = can_install((3, 12, 1), path=str(tmp_path)).splitlines()
    assert "C compiler" in line and "apt-get install gcc" in line


def test_this_machine_can_install():
    assert can_install((*sys.version_info[:3],), os.environ["PATH"]) == ""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy of the sources, unpacked; with one released model more."""
    source = tmp_path_factory.mktemp("source")
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(REPOSITORY / name, source)
    for room in ("tfkd", "firmware_ref", "tflite"):
        if (REPOSITORY / room).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(REPOSITORY / room, source / room, ignore=ignored)
    (source / "tflite" / "example").mkdir(parents=True)
    (source / "tflite" / "example" / "model.tflite").write_bytes(b"a model")
    command = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", "dist", "."], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").glob("tfkd-*-py3-none-any.whl")
    target = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target


def outside(installed: Path, code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_a_wheel_holds_all_data_and_no_tests(installed):
    packed = {str(path.relative_to(installed)) for path in installed.rglob("*") if path.is_file()}
    data = {
        str(path.relative_to(REPOSITORY))
        for room in ("tfkd", "firmware_ref")
        for path in (REPOSITORY / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert data <= packed
    assert {name.split("/")[0] for name in packed if ".dist-info" not in name} == {
        "tfkd",
        "firmware_ref",
    }


def test_a_released_model_is_found_outside_the_repository(installed, tmp_path):
    code = "from tfkd.released import find_tflite; print(find_tflite('example'))"
    found = outside(installed, code, tmp_path)
    assert found == str(installed / "tfkd" / "released" / "example" / "model.tflite")


def test_the_command_line_starts_outside_the_repository(installed, tmp_path):
    code = "import sys; from tfkd.cli import main; sys.argv = ['tfkd', '--version']; main()"
    assert PROJECT["scripts"] == {"tfkd": "tfkd.cli:main"}
    version = outside(installed, "import tfkd; print(tfkd.__version__, tfkd.__file__)", tmp_path)
    assert version.endswith(str(installed / "tfkd" / "__init__.py"))
    assert version.split()[0] in outside(installed, code, tmp_path)
