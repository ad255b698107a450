"""What manifest.csv says of recordings: licences, authors, speakers, kinds of noise."""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tfkd.errors import CorpusError

COLUMNS = ("path", "split", "kind", "speaker_or_class", "source", "licence", "attribution")
TRAINING_KINDS = ("speech", "noise", "rir")
NAMED_NOISES = ("babble", "music")
FORBIDDING = re.compile(r"\b(NC|ND|SA)\b|non-?commercial|share-?alike|no-?deriv", re.IGNORECASE)
PERMITTING = "free for commercial and non-commercial use"

Rows = list[dict[str, str]]


def read_manifest(path: Path) -> Rows:
    """One row per file.

    Raises:
        CorpusError: it cannot be read, or lacks a column.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: cannot be read as a manifest. {error}") from error
    missing = [column for column in COLUMNS if not rows or column not in rows[0]]
    if missing:
        raise CorpusError(
            f"{path}: expected rows with the columns {', '.join(COLUMNS)}. "
            f"Missing: {', '.join(missing)}."
        )
    return rows


def noise_kinds(rows: Rows) -> dict[str, str]:
    """File stem of a noisy recording -> kind of its noise: babble, music or other."""
    return {
        Path(row["path"]).stem: next(
            (kind for kind in NAMED_NOISES if kind in row["speaker_or_class"]), "other"
        )
        for row in rows
        if row["kind"] == "pair-noisy"
    }


def speakers_of_pairs(rows: Rows, stems: Iterable[str]) -> dict[str, int]:
    """How many speakers the noisy recordings of these file stems have, and how many of them were
    trained on."""
    wanted = set(stems)
    trained = {
        r["speaker_or_class"] for r in rows if (r["split"], r["kind"]) == ("train", "speech")
    }
    scored = {
        row["speaker_or_class"].split("+")[0]
        for row in rows
        if row["kind"] == "pair-noisy" and Path(row["path"]).stem in wanted
    }
    return {"all": len(scored), "trained_on": len(scored & trained)}


def training_sources(rows: Rows) -> list[dict[str, Any]]:
    """Training recordings by source: files, licences, authors.

    Raises:
        CorpusError: a licence that would bind the weights: non-commercial, share-alike or
            no-derivatives.
    """
    grouped: dict[str, Rows] = defaultdict(list)
    for row in rows:
        if row["split"] == "train" and row["kind"] in TRAINING_KINDS:
            if FORBIDDING.search(row["licence"].replace(PERMITTING, "")):
                raise CorpusError(
                    f"{row['path']}: its licence, '{row['licence']}', would bind the weights. "
                    f"Expected none that is non-commercial, share-alike or no-derivatives. Train "
                    f"without it."
                )
            grouped[row["source"].split(" (")[0].split(";")[0]].append(row)
    return [
        {
            "source": source,
            "files": len(members),
            "licence": "; ".join(unique(row["licence"] for row in members)),
            "attribution": attribution(unique(row["attribution"] for row in members)),
        }
        for source, members in sorted(grouped.items())
    ]


def attribution(names: list[str]) -> str:
    """All names; a beginning that they share, up to a semicolon, once."""
    parts = [name.split("; ") for name in names]
    shared = 0
    while len(names) > 1 and all(
        len(p) > shared + 1 and p[shared] == parts[0][shared] for p in parts
    ):
        shared += 1
    rest = ", ".join("; ".join(part[shared:]) for part in parts)
    return "; ".join([*(parts[0][:shared] if parts else []), rest])


def unique(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(value.replace("|", "/") for value in values if value))
