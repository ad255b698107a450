"""Files appear whole or not at all: written under a temporary name, then renamed."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

LONGEST = 60
"""Characters of a name that its temporary one repeats: names have 255 bytes at most."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a path beside `path`, with its suffix, for a file that replaces `path` on success.

    The file has the permissions of any other new file; on failure nothing of it remains. A device
    or a pipe, such as /dev/null, is no file to replace: `path` itself is yielded.

    Raises:
        OSError: the folder is missing or cannot be written to, or `path` is a folder.
    """
    if path.is_char_device() or path.is_fifo():
        yield path
        return
    temporary = path.parent / f".{os.getpid()}.{path.name[-LONGEST:]}"
    try:
        yield temporary
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_together(folder: Path, texts: Mapping[str, str]) -> None:
    """Write files that belong together, name -> text; none replaces an old one before all exist.

    Raises:
        OSError: the folder cannot be made or written to; it names the file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        for name, text in texts.items():
            path = folder / name
            temporary = stack.enter_context(whole_file(path))
            try:
                temporary.write_text(text, encoding="utf-8")
            except OSError as error:
                raise OSError(error.errno, error.strerror, str(path)) from error
