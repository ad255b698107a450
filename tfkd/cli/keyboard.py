"""Single keys from a terminal, without waiting for them."""

from __future__ import annotations

import os
import select
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def pressed_keys() -> Iterator[Callable[[], str]]:
    """Yield a function that returns the keys pressed since its last call; none off a terminal.

    Until the context ends, the terminal neither echoes nor waits for Enter; Ctrl-C still
    interrupts.
    """
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    terminal = sys.stdin.fileno()
    before = termios.tcgetattr(terminal)
    tty.setcbreak(terminal)

    def keys() -> str:
        ready, _, _ = select.select([terminal], [], [], 0.0)
        return os.read(terminal, 64).decode(errors="replace") if ready else ""

    try:
        yield keys
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, before)
