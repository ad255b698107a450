#!/usr/bin/env python
"""Write docs/results.md from results.md.j2 and README.md's table, both with the figures that stand
in tflite/*/release.json.

scripts/release/results_page.py            write them
scripts/release/results_page.py --check    exit 3 when one is not current
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from model_card import compared
from page_text import difference, differences, intervals, template
from quality import FLOAT, NOISY, TEACHER, TFLM

from tfkd.atomic import atomic_path

REPOSITORY = Path(__file__).resolve().parent.parent.parent
PAGE = REPOSITORY / "docs" / "results.md"
README = REPOSITORY / "README.md"
SUMMARY_HEAD = "| int8 on TFLite Micro | file | MMAC/s | PESQ-WB | ESTOI | SI-SDR |\n"
STUDENTS = ("micro", "tiny", "small")
DEFAULT = "tiny"  # of `tfkd denoise`; what the page says once is said of it
NOT_CURRENT = 3

Release = Mapping[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true")
    releases = read_releases(REPOSITORY / "tflite")
    texts = {PAGE: page(releases), README: with_summary(README.read_text("utf-8"), releases)}
    check = parser.parse_args().check
    for path, text in texts.items():
        if path.is_file() and path.read_text("utf-8") == text:
            continue
        if check:
            print(f"{path} is not current: run scripts/release/results_page.py", file=sys.stderr)
            return NOT_CURRENT
        with atomic_path(path) as temporary:
            temporary.write_text(text, "utf-8")
    return 0


def read_releases(folder: Path) -> dict[str, Release]:
    """Name -> release.json, the smallest student first."""
    return {
        name: json.loads((folder / name / "release.json").read_text("utf-8")) for name in STUDENTS
    }


def page(releases: Mapping[str, Release]) -> str:
    """The whole page."""
    return template("results.md.j2").render(
        releases=releases,
        default=releases[DEFAULT],
        budgets=list(budgets(releases)),
        quality=list(quality(releases)),
        quantisation=list(quantisation(releases)),
        by_snr=list(by_snr(releases)),
        others=list(others(releases)),
        comparisons={n: compared(r) for n, r in releases.items() if r["comparison"]},
    )


def with_summary(text: str, releases: Mapping[str, Release]) -> str:
    """The text with its table, which begins with SUMMARY_HEAD, written anew."""
    before, after = text.split(SUMMARY_HEAD)
    rest = after.splitlines(keepends=True)
    while rest and rest[0].startswith("|"):
        rest.pop(0)
    rows = "".join(f"{line}\n" for line in ["|---|---|---|---|---|---|", *summary(releases)])
    return before + SUMMARY_HEAD + rows + "".join(rest)


def summary(releases: Mapping[str, Release]) -> Iterable[str]:
    """A row per student, the noisy input first."""
    noisy = next(iter(releases.values()))["scores"]["systems"][NOISY]
    yield row("noisy input", "", "", *short(noisy))
    for name, release in releases.items():
        model = release["model"]
        size = f"{model['file_bytes'] / 1000:.1f} kB"
        operations = f"{model['macs_per_frame'] / model['hop_ms'] / 1000:.1f}"
        card = f"[{name}](tflite/{name}/MODEL_CARD.md)"
        yield row(card, size, operations, *short(release["scores"]["systems"][TFLM]))


def short(values: Mapping[str, Any]) -> tuple[str, str, str]:
    """PESQ-WB, ESTOI and SI-SDR without intervals."""
    return (
        f"{values['pesq_wb']['mean']:.2f}",
        f"{values['estoi']['mean']:.3f}",
        f"{values['si_sdr']['mean']:.1f} dB",
    )


def budgets(releases: Mapping[str, Release]) -> Iterable[str]:
    """A row per student: what it takes."""
    for name, release in releases.items():
        model = release["model"]
        yield row(
            f"`{name}`",
            f"{release['parameters']:,}",
            f"{model['file_bytes']:,}",
            f"{model['macs_per_frame'] / model['hop_ms'] / 1000:.1f}",
            f"{model['arena']['min_bytes']:,}",
            f"{release['verified']['values']:,}",
        )


def quality(releases: Mapping[str, Release]) -> Iterable[str]:
    """A row per system: means with intervals, and the paired gain over the noisy input."""
    yield row("noisy", *intervals(releases[DEFAULT]["scores"]["systems"][NOISY]), "")
    taught: dict[tuple[str, ...], list[str]] = {}  # students share a teacher, or have several
    for name, release in releases.items():
        means = tuple(intervals(release["scores"]["systems"][TEACHER]))
        taught.setdefault(means, []).append(f"`{name}`")
    for means, names in taught.items():
        yield row(f"teacher of {' and '.join(names)}, float", *means, "")
    for name, release in releases.items():
        scores = release["scores"]
        yield row(f"`{name}`, float", *intervals(scores["systems"][FLOAT]), "")
        gain = difference(scores["differences"][f"{TFLM} - {NOISY}"], "pesq_wb")
        yield row(f"`{name}`, int8", *intervals(scores["systems"][TFLM]), gain)


def quantisation(releases: Mapping[str, Release]) -> Iterable[str]:
    """A row per student: int8 less float."""
    for name, release in releases.items():
        yield row(f"`{name}`", *differences(release["scores"]["differences"][f"{TFLM} - {FLOAT}"]))


def others(releases: Mapping[str, Release]) -> Iterable[str]:
    """A row per student and denoiser of others: int8 less that one, paired."""
    for name, release in releases.items():
        for label, values in release["others"].items():
            yield row(f"`{name}` - {label}", *differences(values["released_better_by"]))


def by_snr(releases: Mapping[str, Release]) -> Iterable[str]:
    """A row per SNR: PESQ-WB and ESTOI, noisy and of each student's int8."""
    groups = {name: release["scores"]["by_snr"] for name, release in releases.items()}
    first = next(iter(groups.values()))
    for snr in sorted(first, key=float):
        cells = []
        for metric in ("pesq_wb", "estoi"):
            cells.append(f"{first[snr]['systems'][NOISY][metric]['mean']:.3f}")
            cells += [f"{g[snr]['systems'][TFLM][metric]['mean']:.3f}" for g in groups.values()]
        yield row(snr, *cells)


def row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main())
