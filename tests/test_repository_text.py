"""What holds for every file: its length, no trace of the machine that wrote it, links."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
LONGEST_FILE = 400
TEXT = {".py", ".md", ".toml", ".txt", ".in", ".c", ".h", ".ld", ".json", ".ipynb", ".html", ""}
# Written apart, so that this file does not find itself.
FORBIDDEN = (
    "/wo" + "rk/",
    "/ro" + "ot/",
    "py" + "pi.org",
    "python" + "hosted",
    "npm" + "js.",
    "deb." + "debian",
    "/opt/" + "pypi",
)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def repository_files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    names = filter(None, listed.stdout.split("\0"))
    return [path for name in names if (path := REPOSITORY / name).is_file()]


def anchor(heading: str) -> str:
    """The fragment that a Markdown viewer gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")


def test_no_source_file_is_long():
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines())
        for path in repository_files()
        if path.suffix == ".py"
    }
    assert len(lengths) > 50
    assert {name: n for name, n in lengths.items() if n > LONGEST_FILE} == {}


def test_no_file_names_a_machine_or_a_package_host():
    found = []
    for path in repository_files():
        if path.suffix in TEXT:
            text = path.read_text(encoding="utf-8")
            found += [f"{path.relative_to(REPOSITORY)}: {w}" for w in FORBIDDEN if w in text]
    assert found == []


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_the_page_is_there(name):
    assert (REPOSITORY / name).read_text().startswith("# ")


def test_links_between_pages_lead_somewhere():
    broken = []
    for page in (path for path in repository_files() if path.suffix == ".md"):
        for target in LINK.findall(FENCE.sub("", page.read_text())):
            if target.startswith(("http://", "https://", "mailto:")):
                continue
            name, _, fragment = target.partition("#")
            linked = page.parent / name if name else page
            if not linked.exists():
                broken.append(f"{page.relative_to(REPOSITORY)}: {target}")
            elif fragment and linked.suffix == ".md":
                if fragment not in map(anchor, HEADING.findall(linked.read_text())):
                    broken.append(f"{page.relative_to(REPOSITORY)}: {target}")
    assert broken == []
