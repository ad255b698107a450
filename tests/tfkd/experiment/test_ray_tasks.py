"""Cells as Ray tasks on a cluster of two workers, one of them killed in the middle."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from tfkd.errors import RunError
from tfkd.experiment.ray_tasks import RayTasks

pytestmark = pytest.mark.slow

# Says who it is and who its worker is; the first of its kind waits to be killed.
PATIENT = """
from tfkd.experiment.cell import end_with_the_study
import os, pathlib, sys, time
end_with_the_study()
print(os.getpid(), os.getppid(), flush=True)
mark = pathlib.Path(sys.argv[1])
if not mark.exists():
    mark.touch()
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def cluster():
    import ray

    ray.init(
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=80 * 2**20,
        _system_config={"enable_worker_prestart": False},
    )
    yield RayTasks("local")
    ray.shutdown()


def start(runner, tmp_path, name, *mark):
    log_file, codes = tmp_path / name, []
    command = [sys.executable, "-c", PATIENT, *map(str, mark)]
    thread = threading.Thread(target=lambda: codes.append(runner.run(command, log_file)))
    thread.start()
    return thread, codes, log_file


def lines(path, count, seconds=300.0):
    deadline = time.monotonic() + seconds
    while not path.is_file() or path.read_text().count("\n") < count:
        assert time.monotonic() < deadline, f"{path} does not reach {count} lines"
        time.sleep(0.05)
    return [[int(word) for word in line.split()] for line in path.read_text().splitlines()]


def runs(process):
    """Whether a process lives: it exists and is no zombie that nobody has waited for yet."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def test_a_dead_worker_costs_one_start(cluster, tmp_path):
    assert cluster.slots == 2
    (tmp_path / "done").touch()
    thread, codes, log_file = start(cluster, tmp_path, "killed", tmp_path / "mark")
    ((training, worker),) = lines(log_file, 1)
    other, other_codes, _ = start(cluster, tmp_path, "other", tmp_path / "done")
    other.join(300)
    os.kill(worker, signal.SIGKILL)
    thread.join(300)
    assert codes == other_codes == [0]
    (first, second) = lines(log_file, 2)
    assert first == [training, worker] and second[1] != worker
    deadline = time.monotonic() + 60.0
    while runs(training):
        assert time.monotonic() < deadline, f"the first training, {training}, outlives its worker"
        time.sleep(0.05)


def test_no_cluster(cluster, monkeypatch):
    monkeypatch.setattr(cluster._ray, "is_initialized", lambda: False)

    def refuse(*args, **options):
        raise ConnectionError("nobody there")

    monkeypatch.setattr(cluster._ray, "init", refuse)
    with pytest.raises(RunError, match="no Ray cluster at '192.0.2.1:1'. nobody there"):
        RayTasks("192.0.2.1:1")
