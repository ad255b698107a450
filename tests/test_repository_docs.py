"""The pages under docs/: commands exist with their options, figures are current, Python runs.

Links are tested in test_repository_text.py; README.md's commands run in test_repository_readme.py.
"""

from __future__ import annotations

import re
import runpy
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from firmware_ref.__main__ import _parser as report_parser
from firmware_ref.c_export.__main__ import _parser as export_parser
from tfkd.cli import main
from tfkd.cli.group import CONTEXT

REPOSITORY = Path(__file__).parent.parent
DOCS = REPOSITORY / "docs"
PAGES = sorted(DOCS.glob("*.md"))
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`tfkd ([a-z][a-z -]*)")
MODULES = {
    "python -m firmware_ref ": report_parser,
    "python -m firmware_ref.c_export ": export_parser,
}


def leaves(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of every command that is no group."""
    if not isinstance(command, click.Group):
        yield path
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        yield from leaves(command.get_command(context, name), (*path, name))


def find(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words name, and what is left of them."""
    command: click.Command = main
    while isinstance(command, click.Group):
        name, words = words[0], words[1:]
        found = command.get_command(click.Context(command), name)
        assert found is not None, f"no command {name!r}"
        command = found
    return command, words


def command_lines(page: Path) -> list[str]:
    """Lines of a page's blocks that call us, without comments and redirections."""
    lines = []
    for language, text in BLOCK.findall(page.read_text()):
        if language in ("sh", "text", ""):
            for line in text.replace("\\\n", " ").splitlines():
                stripped = re.split(r"\s+(?:#|>|\|)\s*", line.strip())[0]
                if stripped.startswith(("tfkd ", "make ", "jupyter ", *MODULES)):
                    lines.append(stripped)
    return lines


def check(line: str) -> None:
    """Parse a command line as the program would, without running it."""
    words = shlex.split(line)
    if words[0] == "make":
        file = words[words.index("-f") + 1] if "-f" in words else "Makefile"
        known = re.findall(r"^([\w-]+):", (REPOSITORY / file).read_text(), re.MULTILINE)
        targets = [word for word in words[1:] if word not in ("-f", file) and "=" not in word]
        assert targets and set(targets) <= set(known), line
    elif words[0] == "jupyter":  # test_notebooks.py runs them
        assert (
            words[:3] == ["jupyter", "execute", "--inplace"] and (REPOSITORY / words[3]).is_file()
        )
    elif words[0] == "python":
        MODULES[" ".join(words[:3]) + " "]().parse_args(words[3:])
    else:
        command, rest = find(words[1:])
        # Under the root, which names -h: a command keeps the help option that it first makes.
        with click.Context(main, **CONTEXT) as root:
            command.make_context(command.name, rest, parent=root)


def test_there_are_commands_to_check():
    assert sum(len(command_lines(page)) for page in PAGES) > 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_commands_of_a_page_exist(page):
    for line in command_lines(page):
        check(line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_within_sentences_exist(page):
    for words in INLINE.findall(page.read_text()):
        find(words.split())


@pytest.mark.parametrize("path", list(leaves()), ids=" ".join)
def test_the_examples_of_the_help_exist(path):
    command, _ = find(list(path))
    examples = [line.strip() for line in (command.help or "").splitlines()]
    examples = [line for line in examples if line.startswith("tfkd ")]
    assert examples
    for line in examples:
        check(re.split(r"\s+>\s*", line)[0])


@pytest.mark.parametrize(
    "line",
    [
        "tfkd trian",
        "tfkd train --studnet tiny",
        "tfkd data chek x",
        "tfkd info tiny --josn",
        "make instal",
        "jupyter execute --inplace notebooks/04_none.ipynb",
        "make -f Makefile C=x runn",
        "python -m firmware_ref model.tflite --mapp",
    ],
)
def test_the_check_finds_mistakes(line):
    with pytest.raises((AssertionError, click.UsageError, SystemExit)):
        check(line)


def test_every_page_is_in_the_index():
    index = (DOCS / "README.md").read_text()
    assert [page.name for page in PAGES if f"({page.name}" not in index] == ["README.md"]


def test_the_figures_are_what_the_script_draws():
    drawn = runpy.run_path(str(REPOSITORY / "scripts" / "draw_figures.py"))["figures"]()
    assert drawn == {path.name: path.read_text() for path in (DOCS / "figures").glob("*.svg")}


@pytest.mark.slow
def test_the_sizes_of_the_students_are_current():
    from tfkd.config_file import load_config
    from tfkd.models.budget import budget

    page = (DOCS / "choose-a-student.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([\d,]+) \| ([\d.]+) \|", page, re.MULTILINE)
    assert [name for name, *_ in rows] == ["micro", "tiny", "small"]
    for name, parameters, mmacs in rows:
        costs = budget(load_config(name).model)
        assert parameters == f"{costs.parameters:,}"
        assert mmacs == f"{costs.macs_per_second / 1e6:.1f}"


@pytest.mark.slow
def test_the_python_of_the_page_on_extending_runs(capsys):
    import tensorflow as tf

    results: dict[str, object] = {}
    for language, source in BLOCK.findall((DOCS / "extend.md").read_text()):
        if language == "python":
            exec(compile(source, "extend.md", "exec"), results)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].endswith("activations_common.cc")
    assert printed[1].startswith("True {'SRAM': ")
    outputs = results["Outputs"]
    latent = tf.random.normal((2, 9, 1, 4), seed=1)
    teacher, far = (outputs(value, tf.zeros((2, 9, 5))) for value in (latent, latent + 7.0))
    distance = results["change_distance"]
    assert float(distance(far, teacher)) == pytest.approx(0.0, abs=1e-5)  # a shift is no change
    assert float(distance(outputs(-latent, far.mask), teacher)) == pytest.approx(2.0, abs=1e-5)
