"""LABEL=DIR on a command line."""

from __future__ import annotations

import argparse
from pathlib import Path


def labelled(text: str) -> tuple[str, Path]:
    """LABEL=DIR as a pair.

    Raises:
        argparse.ArgumentTypeError: it is not of that form.
    """
    label, _, folder = text.partition("=")
    if not (label and folder):
        raise argparse.ArgumentTypeError(f"expected LABEL=DIR. Received: {text!r}")
    return label, Path(folder)
