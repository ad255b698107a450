import json
import math

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
