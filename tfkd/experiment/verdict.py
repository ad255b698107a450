"""What a study's numbers say, in words: which differences are significant and which are not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean
from typing import Any

from tfkd.experiment.result import OVERALL, REFERENCES, SYSTEMS, Cells, by_seed, distinct
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
    undefined = [
        f"{_title(metric)} of {plural(count, f'{system} model')}"
        for system in SYSTEMS
        for metric in DIGITS
        if (count := sum(value is None for value in _column(cells, system, metric)))
    ]
    if undefined:
        text += f" Left out, because a recording has no such value: {listed(undefined)}."
    return text


def _column(cells: Cells, system: str, metric: str) -> list[float | None]:
    return [(cell if system == "float" else cell[system])[metric] for cell in cells]


def _lambdas(result: Mapping[str, Any]) -> str:
    """Those that were tuned, and those that were not: an untuned rival is a weak one."""
    tuned = result["weights"]
    given = {c["method"]: c["weight"] for c in result["cells"] if c["weight"] is not None}
    untuned = {method: weight for method, weight in given.items() if method not in tuned}
    told = " ".join(
        f"{what}: {listed(f'`{method}` {weight:g}' for method, weight in weights.items())}."
        for what, weights in (
            ("Lambda, chosen on validation", tuned),
            ("Lambda, given and not tuned", untuned),
        )
        if weights
    )
    edges = [
        f"`{method}` {weight:g} is the {edge}"
        for method, weight in tuned.items()
        if (edge := _edge(weight, [c for c in result["tuning"] if c["method"] == method]))
    ]
    return (
        f"{told} Of its candidates {listed(edges)}: beyond it may lie a better one."
        if edges
        else told
    )


def _edge(weight: float, candidates: Cells) -> str:
    """ "smallest" or "largest", where the chosen one is that of two or more; else nothing."""
    tried = {c["weight"] for c in candidates if c["valid_supervised_loss"] is not None}
    if len(tried) < 2:
        return ""
    return "smallest" if weight == min(tried) else "largest" if weight == max(tried) else ""


def _power(result: Mapping[str, Any]) -> str:
    """What a test here can and cannot see."""
    tested = [r for r in result["comparisons"] if r["p_holm"] is not None]
    if not tested:
        return (
            "Nothing can be tested: that needs a method and `none` or `hint`, and two seeds or "
            "more with different outcomes."
        )
    single = [row for row in tested if row["scenario"] != OVERALL] or tested
    pairs = max(row["pairs"] for row in single)
    family = max(row["family"] for row in single)
    effect = detectable_effect(pairs, family, LEVEL)
    return (
        f"Paired two-sided t-tests over seeds, significant where p < {LEVEL:g} after Holm's "
        f"correction over the {plural(family, 'comparison')} of one metric and system; the means "
        f"over scenarios are corrected apart. The smallest p passes from |d_z| = {effect:.1f} with "
        f"{pairs} seeds: smaller effects may be real and not show. A difference in a single one of "
        f"the {len(SYSTEMS) * len(DIGITS)} metrics and systems may still be chance. Seeds are the "
        f"sample: the tests speak about training again, not about other recordings."
    )


def _best(result: Mapping[str, Any], system: str) -> str:
    """Who has the highest mean of every metric, by scenario; no claim of significance."""
    cells = result["cells"]
    sentences = []
    for metric in DIGITS:
        leaders = []
        for scenario in distinct(cells, "scenario"):
            best = _leaders(cells, scenario, system, metric)
            if best:
                leaders.append(f"{' = '.join(f'`{method}`' for method in best)} ({scenario})")
        if leaders:
            sentences.append(f"{_title(metric)}: {listed(leaders)}")
    if not sentences:
        return ""
    return (
        f"Highest means over the seeds that all methods share, significant or not. "
        f"{'; '.join(sentences)}."
    )


def _leaders(cells: Cells, scenario: str, system: str, metric: str) -> list[str]:
    """The methods with the highest mean, as far as it is printed; none without a rival."""
    found = {m: by_seed(cells, scenario, m, system, metric) for m in distinct(cells, "method")}
    values = {method: of_seeds for method, of_seeds in found.items() if of_seeds}
    seeds = set.intersection(*map(set, values.values())) if values else set()
    if len(values) < 2 or not seeds:
        return []
    means = {
        method: round(mean(of_seeds[seed] for seed in sorted(seeds)), DIGITS[metric])
        for method, of_seeds in values.items()
    }
    return [method for method, value in means.items() if value == max(means.values())]


def _against(result: Mapping[str, Any], system: str, reference: str) -> str:
    """One bullet per method: where it differs from the reference."""
    methods, scenarios = (distinct(result["cells"], key) for key in ("method", "scenario"))
    if reference not in methods:
        return ""
    everything = (len(scenarios) + (len(scenarios) > 1)) * len(DIGITS)
    rows = [
        r for r in result["comparisons"] if r["system"] == system and r["reference"] == reference
    ]
    bullets = [
        f"- `{method}` {_difference([r for r in rows if r['method'] == method], everything)}"
        for method in methods
        if method not in ("none", reference)
    ]
    return "\n".join([f"Against `{reference}`:", "", *bullets]) if bullets else ""


def _difference(rows: Sequence[Row], everything: int) -> str:
    """The predicate of a method: better here, worse there, the rest undecided or untested.

    Args:
        rows: its comparisons with one reference.
        everything: how many there were, had no training failed.
    """
    tested = [row for row in rows if row["p_holm"] is not None]
    if not tested:
        return "cannot be tested."
    significant = [row for row in tested if row["p_holm"] < LEVEL]
    untested = everything - len(tested)
    missing = f"; {plural(untested, 'comparison')} cannot be tested" if untested else ""
    if not significant:
        least = p_text(min(row["p_holm"] for row in tested))
        where = "any metric or scenario" if not untested else "what can be tested"
        return f"does not differ significantly in {where} (smallest {least}){missing}."
    clauses = []
    for word, better in (("better", True), ("worse", False)):
        chosen = [row for row in significant if (row["difference"] > 0) == better]
        if chosen:
            clauses.append(f"significantly {word} in {listed(_places(chosen))}")
    left = len(tested) - len(significant)
    rest = (
        f"; the other {plural(left, 'comparison')} {'is' if left == 1 else 'are'} not significant"
    )
    return f"is {' and '.join(clauses)}{rest if left else ''}{missing}."


def _places(rows: Sequence[Row]) -> Iterable[str]:
    """ "width (PESQ-WB +0.031, p = .004)", by scenario."""
    for scenario in distinct(rows, "scenario"):
        found = [
            f"{_title(r['metric'])} "
            f"{r['difference']:+.{DIGITS[r['metric']]}f}"
            f"{' dB' if r['metric'] == 'si_sdr' else ''}, {p_text(r['p_holm'])}"
            for r in rows
            if r["scenario"] == scenario
        ]
        yield f"{scenario} ({'; '.join(found)})"


def _title(metric: str) -> str:
    """ "SI-SDR", without the unit that a table's head has."""
    return TITLES[metric].removesuffix(" dB")


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
