import json
import math
import os
import pty
import subprocess
import sys

from tfkd.cli.output import print_json, progress, working


def test_json_has_a_schema_and_no_nan(capsys):
    print_json("thing", {"a": math.nan, "b": [1.5, math.inf], "c": {"d": (1, -math.inf)}}, 3)
    printed = json.loads(capsys.readouterr().out)
    assert printed == {"schema": "tfkd.thing/3", "a": None, "b": [1.5, None], "c": {"d": [1, None]}}


def test_no_progress_bar_off_a_terminal(capsys):
    with progress("working", 10) as advance:
        advance(10)
    with working("converting"):
        pass
    assert capsys.readouterr() == ("", "")


def on_a_terminal(program: str) -> str:
    """What a program writes to stderr when that is a terminal."""
    terminal, end = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", program], stderr=end, stdin=end, env=os.environ | {"TERM": "xterm"}
    )
    os.close(end)
    written = b""
    try:
        while part := os.read(terminal, 4096):
            written += part
    except OSError:  # Linux reports the closed end so
        pass
    os.close(terminal)
    assert process.wait(timeout=60) == 0
    return written.decode()


def test_bars_and_signs_of_life_on_a_terminal_take_any_name():
    program = """
from tfkd.cli.output import console, progress, working
with progress("[/b] a[bold].wav", 2) as advance:
    advance(2)
with working("[/b] loading"):
    pass
console().print("[/b] x[1].wav: done")
"""
    written = on_a_terminal(program)
    for text in ("[/b] a[bold].wav", "[/b] loading", "[/b] x[1].wav: done"):
        assert text in written
