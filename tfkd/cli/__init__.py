"""The command line, one file per command. TensorFlow is imported inside commands only."""

from tfkd.cli.group import main

__all__ = ["main"]
