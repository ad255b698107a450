"""One command at a time works on a study: two would train the same cell in the same folder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tfkd.errors import RunError


@contextmanager
def sole_user(folder: Path) -> Iterator[None]:
    """Hold a folder; the system lets go of it however this process ends.

    Raises:
        RunError: another process holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RunError(
                f"{folder}: another `tfkd experiment` works on this study. Wait until it ends, or "
                f"stop it."
            ) from error
        yield
    finally:
        os.close(descriptor)
