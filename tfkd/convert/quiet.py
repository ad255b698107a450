"""Keep TensorFlow's converter from writing its diagnostics into the user's stderr."""

from __future__ import annotations

import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

STDERR = 2


@contextmanager
def quiet_converter() -> Iterator[None]:
    """Hold back what the converter writes while it works; show it only when it raises.

    Its C++ part writes to file descriptor 2 directly, past Python's logging and past
    TF_CPP_MIN_LOG_LEVEL; its Python part warns through absl's logger of an interface that has no
    equal for a graph with explicit states. Everything that the process writes to the descriptor
    in the meantime is held back, from other threads, too.
    """
    absl = logging.getLogger("absl")
    level = absl.level
    with tempfile.TemporaryFile() as held:
        stderr = os.dup(STDERR)
        absl.setLevel(logging.ERROR)
        os.dup2(held.fileno(), STDERR)
        try:
            yield
        except BaseException:
            os.dup2(stderr, STDERR)
            held.seek(0)
            os.write(STDERR, held.read())
            raise
        finally:
            os.dup2(stderr, STDERR)
            os.close(stderr)
            absl.setLevel(level)
