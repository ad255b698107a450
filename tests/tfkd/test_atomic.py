import os
import subprocess
import sys

import pytest

from tfkd.atomic import atomic_path


def test_file_appears_on_success_only(tmp_path):
    target = tmp_path / "deep" / "file.txt"
    with atomic_path(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, OSError])
def test_failure_keeps_the_old_file_and_leaves_nothing(tmp_path, error):
    target = tmp_path / "file.txt"
    target.write_text("old")
    with pytest.raises(error), atomic_path(target) as temporary:
        temporary.write_text("half")
        raise error
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_processes_that_write_the_same_file_do_not_meet(tmp_path):
    target = tmp_path / "file.txt"
    other = (
        "import sys\nfrom tfkd.atomic import atomic_path\n"
        "with atomic_path(sys.argv[1]) as temporary:\n    temporary.write_text('other')\n"
    )
    with atomic_path(target) as temporary:
        temporary.write_text("mine")
        subprocess.run([sys.executable, "-c", other, str(target)], check=True)
        assert target.read_text() == "other"
        assert temporary.read_text() == "mine"
    assert target.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [target]


def test_a_pipe_is_not_replaced_by_a_file(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with atomic_path(pipe) as given:
        assert given == pipe
    assert pipe.is_fifo()
