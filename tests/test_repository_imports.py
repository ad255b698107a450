"""Imports go one way: a room imports only rooms that stand above it in ARCHITECTURE.md's table."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

REPOSITORY = Path(__file__).parent.parent
PACKAGES = ("firmware_ref", "tfkd")
ROW = re.compile(r"^\| (`[^|]+) \|", re.MULTILINE)
WITHOUT_TENSORFLOW = (
    "firmware_ref",
    "firmware_ref.arena",
    "firmware_ref.interpreter",
    "tfkd.audio",
    "tfkd.cli",
    "tfkd.config_file",
    "tfkd.denoise",
    "tfkd.evaluate",
    "tfkd.released",
    "tfkd.verify",
)


def rooms() -> list[list[str]]:
    """The table's rows, top to bottom: the paths in the first column, without .py and slashes."""
    rows = []
    for cell in ROW.findall((REPOSITORY / "ARCHITECTURE.md").read_text()):
        paths: list[str] = []
        for name in re.findall(r"`([^`]+)`", cell):
            near = paths[0].rpartition("/")[0] if paths else ""
            path = name if "/" in name.rstrip("/") or not near else f"{near}/{name}"
            paths.append(path.rstrip("/").removesuffix(".py"))
        rows.append(paths)
    return rows


def room_of(module: str, rows: list[list[str]]) -> int | None:
    """Index of the row that has the longest prefix of `module`, a path such as tfkd/data/demo."""
    found, longest = None, 0
    for index, paths in enumerate(rows):
        for path in paths:
            inside = module == path or module.startswith(path + "/")
            if inside and len(path) > longest:
                found, longest = index, len(path)
    return found


def modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            name = str(path.relative_to(REPOSITORY).with_suffix(""))
            yield name.removesuffix("/__init__"), path


def is_module(name: str) -> bool:
    return (REPOSITORY / f"{name}.py").is_file() or (REPOSITORY / name / "__init__.py").is_file()


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, as a path for our own ones."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.replace(".", "/") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: a relative import"
            base = node.module.replace(".", "/")
            for alias in node.names:
                inner = f"{base}/{alias.name}"
                yield inner if is_module(inner) else base


def test_every_module_has_a_room():
    rows = rooms()
    homeless = [
        name for name, _ in modules() if name not in PACKAGES and room_of(name, rows) is None
    ]
    assert homeless == []


def test_every_room_exists():
    missing = [
        path
        for paths in rooms()
        for path in paths
        if not (REPOSITORY / path).is_dir() and not is_module(path)
    ]
    assert missing == []


def test_imports_go_up_the_table():
    rows = rooms()
    wrong = []
    for name, path in modules():
        here = room_of(name, rows)
        if name in PACKAGES or here is None:
            continue
        for imported in imports(path):
            if imported.split("/")[0] not in PACKAGES or imported in PACKAGES:
                continue
            there = room_of(imported, rows)
            if there is None or there > here:
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


def test_firmware_ref_needs_numpy_only():
    allowed = set(sys.stdlib_module_names) | {"numpy", "firmware_ref"}
    foreign = {
        (name, imported.split("/")[0])
        for name, path in modules()
        if name.startswith("firmware_ref")
        for imported in imports(path)
        if imported.split("/")[0] not in allowed
    }
    assert foreign == {("firmware_ref/arena/plot", "matplotlib")}  # when a map is drawn


def test_firmware_ref_is_tested_without_tensorflow():
    importers = [
        path.name
        for path in (REPOSITORY / "tests" / "firmware_ref").rglob("*.py")
        if not path.name.startswith("make_")  # run by hand: writes models that the tests read
        for imported in imports(path)
        if imported.split("/")[0] in ("tensorflow", "tf_keras", "tfkd")
    ]
    assert importers == []


def test_one_module_imports_the_quantisation_toolkit():
    importers = {
        name
        for name, path in modules()
        for imported in imports(path)
        if imported.split("/")[0] == "tensorflow_model_optimization"
    }
    assert importers == {"tfkd/quantize"}


def test_tensorflow_stays_out_where_it_is_not_needed():
    code = f"import {', '.join(WITHOUT_TENSORFLOW)}, sys; print('tensorflow' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
