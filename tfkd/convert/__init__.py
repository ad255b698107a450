"""A trained run to the files that a firmware takes."""

from tfkd.convert.run import convert_run

__all__ = ["convert_run"]
