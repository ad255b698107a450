"""Tables of a study in Markdown and LaTeX: mean and standard deviation over seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from tfkd.experiment.result import SYSTEMS, by_seed, distinct
from tfkd.metrics import METRICS

DIGITS = {name: metric.digits for name, metric in METRICS.items()}
TITLES = {
    name: f"{metric.title} dB" if metric.unit == "dB" else metric.title
    for name, metric in METRICS.items()
}
MISSING = "-"
PIPE = r"\|"  # of a Markdown cell
SPECIAL = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
)
HEAD = ("scenario", "method", "system", "seeds", *TITLES.values())


def markdown_table(result: Mapping[str, Any]) -> str:
    """Mean ± standard deviation over seeds per scenario, system and method."""
    return _markdown(HEAD, _rows(result))


def latex_table(result: Mapping[str, Any]) -> str:
    """The same as a LaTeX tabular."""
    words = len(HEAD) - len(TITLES)
    body = [
        " & ".join([*map(_latex_word, row[:words]), *map(_latex_number, row[words:])]) + r" \\"
        for row in _rows(result)
    ]
    columns = "lll" + "r" * (len(HEAD) - 3)
    return "\n".join(
        [rf"\begin{{tabular}}{{{columns}}}", r"\hline", " & ".join(HEAD) + r" \\", r"\hline"]
        + [*body, r"\hline", r"\end{tabular}", ""]
    )


def comparison_table(result: Mapping[str, Any], system: str) -> str:
    """Mean difference, effect size and corrected p of every comparison of one system."""
    head = ("scenario", "method", "against", "metric", "seeds", "difference", "d_z", "p", "p, Holm")
    rows = [
        [
            row["scenario"],
            row["method"],
            row["reference"],
            TITLES[row["metric"]],
            str(row["pairs"]),
            f"{row['difference']:+.{DIGITS[row['metric']]}f}",
            _defined(row["effect_size"], "+.2f"),
            _defined(row["p_value"], ".4f"),
            _defined(row["p_holm"], ".4f"),
        ]
        for row in result["comparisons"]
        if row["system"] == system
    ]
    return _markdown(head, rows)


def candidate_table(result: Mapping[str, Any]) -> str:
    """Validation loss of every lambda that was tried, the chosen one of a method in bold."""
    head = ("method", "lambda", "supervised loss on validation recordings")
    rows = []
    for candidate in result["tuning"]:
        method, weight = candidate["method"], candidate["weight"]
        bold = "**" if result["weights"].get(method) == weight else ""
        loss = _defined(candidate["valid_supervised_loss"], ".5f")
        rows.append([method, f"{weight:g}", f"{bold}{loss}{bold}"])
    return _markdown(head, rows)


def score_text(scores: Mapping[str, float]) -> str:
    """ "PESQ-WB 1.292, STOI 0.815, ESTOI 0.646, SI-SDR 3.99 dB"."""
    return ", ".join(
        f"{title.removesuffix(' dB')} {_defined(scores[metric], f'.{DIGITS[metric]}f')}"
        f"{' dB' if title.endswith(' dB') else ''}"
        for metric, title in TITLES.items()
    )


def _markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(cell.replace('|', PIPE) for cell in row)} |" for row in rows]
    return "\n".join(lines) + "\n"


def _latex_word(text: str) -> str:
    """Any text, such as a scenario's file name, with LaTeX's special characters escaped."""
    return text.translate(SPECIAL)


def _latex_number(text: str) -> str:
    """ "-3.99 ± 0.10" with a minus sign, where text mode would set a hyphen."""
    return text if text == MISSING else text.replace("-", "$-$").replace("±", r"$\pm$")


def _defined(value: float | None, form: str) -> str:
    return MISSING if value is None else format(value, form)


def _rows(result: Mapping[str, Any]) -> list[list[str]]:
    """A mean over fewer seeds than its row's, where a metric is undefined, says over how many."""
    cells = result["cells"]
    rows = []
    for scenario in distinct(cells, "scenario"):
        for system in SYSTEMS:
            for method in distinct(cells, "method"):
                values = {m: by_seed(cells, scenario, method, system, m) for m in DIGITS}
                count = max(len(v) for v in values.values())
                numbers = [
                    _number(list(values[m].values()), digits, count) for m, digits in DIGITS.items()
                ]
                rows.append([scenario, method, system, str(count), *numbers])
    return rows


def _number(values: Sequence[float], digits: int, seeds: int) -> str:
    if not values:
        return MISSING
    text = f"{mean(values):.{digits}f}"
    if len(values) > 1:
        text += f" ± {stdev(values):.{digits}f}"
    return text if len(values) == seeds else f"{text} (of {len(values)})"
