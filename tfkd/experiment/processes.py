"""Where cells run: processes of this machine."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol


class Runner(Protocol):
    """Runs commands, `slots` of them at a time."""

    slots: int

    def run(self, command: Sequence[str], log_file: Path) -> int:
        """Run a command to its end, what it says appended to a file; its exit code."""
        ...

    def stop(self) -> None:
        """End what still runs."""
        ...


def run_process(command: Sequence[str], log_file: Path) -> subprocess.Popen[bytes]:
    """Start a command whose standard input stays open for as long as this process lives."""
    with log_file.open("a", encoding="utf-8") as output:
        return subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT
        )


class Processes:
    """Runs commands as processes of this machine.

    Args:
        slots: how many at a time.
    """

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self._running: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(self, command: Sequence[str], log_file: Path) -> int:
        """See `Runner`."""
        with self._lock:
            if self._stopped:
                return -1
            process = run_process(command, log_file)
            self._running.add(process)
        with process:
            exit_code = process.wait()
        with self._lock:
            self._running.discard(process)
        return exit_code

    def stop(self) -> None:
        """See `Runner`."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                process.kill()
