"""Files appear whole or not at all, in folders that need not exist yet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from firmware_ref.whole_file import whole_file


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it replaces `path` on success and vanishes on failure.

    Missing parent folders are made. An interruption (Ctrl-C, disk full, kill) never leaves a half
    of `path`; only a kill leaves the temporary file, which is hidden. Each process has its own, so
    that those which write the same `path` at once do not mix; the last one to finish wins. A device
    or a pipe is written to, not replaced.

    Raises:
        OSError: the folder cannot be made or written to, or the disk is full.

    Example:
        >>> with atomic_path("runs/x/metrics.json") as temporary:
        ...     temporary.write_text("{}")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as temporary:
        yield temporary
