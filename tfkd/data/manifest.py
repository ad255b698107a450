"""A corpus' manifest.csv: what is known of its recordings, one row each."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from tfkd.errors import CorpusError

Row = Mapping[str, str]


def read_manifest(manifest: Path, columns: Sequence[str] = ("path",)) -> dict[Path, Row]:
    """Rows by the resolved path of their recording, which lies relative to the manifest's folder.

    Args:
        manifest: CSV in UTF-8 with a column `path`.
        columns: those that it must have.

    Raises:
        CorpusError: the file cannot be read, is no such CSV, or lacks a column or a path.
    """
    try:
        with manifest.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            found = reader.fieldnames or ()
            rows = list(reader)
    except OSError as error:
        raise CorpusError(f"{manifest}: cannot be read ({error.strerror}).") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{manifest}: is not a CSV in UTF-8 ({error}).") from error
    if missing := [name for name in columns if name not in found]:
        raise CorpusError(
            f"{manifest}: lacks the columns {', '.join(missing)}. Expected "
            f"{', '.join(columns)}. Received: {', '.join(found) or 'none'}."
        )
    for number, row in enumerate(rows, start=1):
        if not row["path"]:
            raise CorpusError(
                f"{manifest}: row {number} names no recording. Expected a value in every row's "
                f"column 'path'."
            )
    return {(manifest.parent / row["path"]).resolve(): row for row in rows}
