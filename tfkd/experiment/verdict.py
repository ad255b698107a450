"""What a study's numbers say, in words: which differences are significant and which are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

from tfkd.experiment.result import OVERALL, REFERENCES, SYSTEMS, by_seed, distinct
from tfkd.experiment.statistics import detectable_effect
from tfkd.experiment.tables import DIGITS, TITLES

LEVEL = 0.05

Row = Mapping[str, Any]


def verdict(result: Mapping[str, Any]) -> str:
    """Markdown paragraphs, from the result alone."""
    parts = [_extent(result)]
    if result["cells"]:
        parts += [_lambdas(result), _power(result)]
        for system in SYSTEMS:
            parts.append(f"## {system} models")
            parts.append(_best(result, system))
            parts += [_against(result, system, reference) for reference in REFERENCES]
    return "\n\n".join(filter(None, parts)) + "\n"


def _extent(result: Mapping[str, Any]) -> str:
    """How much was trained, and what failed."""
    cells, failed = result["cells"], result["failed"]
    everything = [*cells, *failed]
    shape = " x ".join(
        plural(len(distinct(everything, key)), key) for key in ("method", "scenario", "seed")
    )
    text = f"{shape}: {len(cells)} of {plural(len(everything), 'cell')} finished."
    if failed:
        each = {f"{c['scenario']}/{c['method']}/seed {c['seed']}" for c in failed}
        text += f" Failed and left out: {listed(sorted(each))}."
    return text


def _lambdas(result: Mapping[str, Any]) -> str:
    chosen = [f"`{method}` {weight:g}" for method, weight in result["weights"].items()]
    return f"Lambda, chosen on validation: {listed(chosen)}." if chosen else ""


def _power(result: Mapping[str, Any]) -> str:
    """What a test here can and cannot see."""
    tested = [r for r in result["comparisons"] if r["p_holm"] is not None]
    if not tested:
        return (
            "Nothing can be tested: that needs a method and `none` or `hint`, and two seeds or "
            "more with different outcomes."
        )
    single = [row for row in tested if row["scenario"] != OVERALL]
    pairs = max(row["pairs"] for row in single)
    family = max(row["family"] for row in single)
    effect = detectable_effect(pairs, family, LEVEL)
    return (
        f"Paired two-sided t-tests over seeds, significant where p < {LEVEL:g} after Holm's "
        f"correction over the {plural(family, 'comparison')} of one metric. The smallest p passes "
        f"from |d_z| = {effect:.1f} with {pairs} seeds: smaller effects may be real and not show."
    )


def _best(result: Mapping[str, Any], system: str) -> str:
    """Who has the highest mean of every metric, by scenario; no claim of significance."""
    cells = result["cells"]
    sentences = []
    for metric in DIGITS:
        leaders = []
        for scenario in distinct(cells, "scenario"):
            means = {
                method: mean(values.values())
                for method in distinct(cells, "method")
                if (values := by_seed(cells, scenario, method, system, metric))
            }
            if means:
                leaders.append(f"`{max(means, key=lambda m: means[m])}` ({scenario})")
        if leaders:
            sentences.append(f"{TITLES[metric].removesuffix(' dB')}: {listed(leaders)}")
    return f"Highest means, significant or not. {'; '.join(sentences)}." if sentences else ""


def _against(result: Mapping[str, Any], system: str, reference: str) -> str:
    """One bullet per method: where it differs from the reference."""
    rows = [
        r for r in result["comparisons"] if r["system"] == system and r["reference"] == reference
    ]
    bullets = [
        f"- `{method}` {_difference([r for r in rows if r['method'] == method])}"
        for method in distinct(rows, "method")
    ]
    return "\n".join([f"Against `{reference}`:", "", *bullets]) if bullets else ""


def _difference(rows: Sequence[Row]) -> str:
    """The predicate of a method: better here, worse there, the rest undecided or untested."""
    tested = [row for row in rows if row["p_holm"] is not None]
    if not tested:
        return "cannot be tested."
    significant = [row for row in tested if row["p_holm"] < LEVEL]
    if not significant:
        least = min(row["p_holm"] for row in tested)
        return (
            f"does not differ significantly in any metric or scenario (smallest {p_text(least)})."
        )
    clauses = []
    for word, better in (("better", True), ("worse", False)):
        chosen = [row for row in significant if (row["difference"] > 0) == better]
        if chosen:
            clauses.append(f"significantly {word} in {listed(_places(chosen))}")
    left = len(tested) - len(significant)
    rest = (
        f"; the other {plural(left, 'comparison')} {'is' if left == 1 else 'are'} not significant"
    )
    return f"is {' and '.join(clauses)}{rest if left else ''}."


def _places(rows: Sequence[Row]) -> Iterable[str]:
    """ "width (PESQ-WB +0.031, p = .004)", by scenario."""
    for scenario in distinct(rows, "scenario"):
        found = [
            f"{TITLES[r['metric']].removesuffix(' dB')} "
            f"{r['difference']:+.{DIGITS[r['metric']]}f}"
            f"{' dB' if r['metric'] == 'si_sdr' else ''}, {p_text(r['p_holm'])}"
            for r in rows
            if r["scenario"] == scenario
        ]
        yield f"{scenario} ({'; '.join(found)})"


def p_text(p: float) -> str:
    """ "p = .032", "p < .001"."""
    return "p < .001" if p < 0.0005 else f"p = {p:.3f}".replace(" 0.", " .")


def plural(count: int, noun: str) -> str:
    """ "1 seed", "5 seeds"."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def listed(items: Iterable[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    *others, last = items
    return f"{', '.join(others)} and {last}" if others else last
