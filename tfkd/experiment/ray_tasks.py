"""Where cells run: a Ray cluster, one task per cell; all machines share the study's folder."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tfkd.errors import MissingPackageError, RunError
from tfkd.experiment.processes import run_process

LOCAL = "local"
RETRIES = 5  # of a task whose worker died; it goes on from the cell's last checkpoint


class RayTasks:
    """Runs commands as Ray tasks of one CPU each.

    A task whose worker or machine dies is started again elsewhere; the process that the dead
    worker left behind ends with it, since its standard input closes.

    Args:
        address: of a running cluster, such as "10.0.0.1:6379" or "auto"; "local" starts one here.

    Raises:
        MissingPackageError: Ray is not installed.
        RunError: no cluster at that address.
    """

    def __init__(self, address: str) -> None:
        try:
            import ray
        except ImportError as error:
            raise MissingPackageError(
                "running a study on a cluster needs Ray, which is not installed. Install it with: "
                "pip install 'tfkd[ray]'"
            ) from error
        self._ray: Any = ray
        if not ray.is_initialized():
            try:
                ray.init(
                    None if address == LOCAL else address,
                    include_dashboard=False if address == LOCAL else None,
                    log_to_driver=False,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise RunError(f"no Ray cluster at '{address}'. {error}") from error
        self.slots = max(1, int(self._ray.cluster_resources().get("CPU", 1)))
        self._task = ray.remote(num_cpus=1, max_retries=RETRIES)(_run_on_worker)

    def run(self, command: Sequence[str], log_file: Path) -> int:
        """See `tfkd.experiment.processes.Runner`."""
        reference: Any = self._task.remote(list(command), str(log_file), os.getcwd())
        try:
            exit_code: int = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:
            with log_file.open("a", encoding="utf-8") as log:
                log.write(f"Ray: {error}\n")
            return -1
        return exit_code

    def stop(self) -> None:
        """See `tfkd.experiment.processes.Runner`."""
        self._ray.shutdown()


def _run_on_worker(command: list[str], log_file: str, folder: str) -> int:
    os.chdir(folder)
    with run_process(command, Path(log_file)) as process:
        return process.wait()
