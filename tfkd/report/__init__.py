"""One self-contained HTML page about a run or a released model: to hear, to see, to check."""

from tfkd.report.make import make_report as make_report

__all__ = ["make_report"]
