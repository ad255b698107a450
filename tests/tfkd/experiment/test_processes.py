"""Processes of a study end with it, however it ends."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from tfkd.experiment.processes import Processes

PATIENT = "from tfkd.experiment.cell import end_with_the_study as e; e(); import os, time; "
PATIENT += "print(os.getpid(), flush=True); time.sleep(60)"
STUDY = """
import sys
from pathlib import Path
from tfkd.experiment.processes import Processes
Processes().run([sys.executable, "-c", sys.argv[1]], Path(sys.argv[2]))
"""


def first_line(path, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not path.is_file() or "\n" not in path.read_text():
        assert time.monotonic() < deadline, f"{path} stays empty"
        time.sleep(0.02)
    return path.read_text().splitlines()[0]


def wait_until_gone(pid, seconds=30.0):
    deadline = time.monotonic() + seconds
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        assert time.monotonic() < deadline, f"{pid} still lives"
        time.sleep(0.02)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_study_leaves_no_training_behind(tmp_path, how):
    log_file = tmp_path / "log"
    study = subprocess.Popen([sys.executable, "-c", STUDY, PATIENT, str(log_file)])
    training = int(first_line(log_file))
    study.send_signal(how)
    study.wait()
    wait_until_gone(training)


def test_stop_ends_what_runs_and_starts_nothing_more(tmp_path):
    runner, codes = Processes(), []
    command = [sys.executable, "-c", PATIENT]
    thread = threading.Thread(target=lambda: codes.append(runner.run(command, tmp_path / "log")))
    thread.start()
    training = int(first_line(tmp_path / "log"))
    runner.stop()
    thread.join(30)
    assert codes == [-signal.SIGKILL]
    wait_until_gone(training)
    assert runner.run(command, tmp_path / "log") == -1


def test_a_process_that_ends_by_itself_ends_in_peace(tmp_path):
    quick = PATIENT.replace("time.sleep(60)", "time.sleep(0)")
    assert Processes().run([sys.executable, "-c", quick], tmp_path / "log") == 0
    assert len((tmp_path / "log").read_text().splitlines()) == 1
