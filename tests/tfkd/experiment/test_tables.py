"""Tables to the letter."""

from synthetic_study import CLEAR, cell

from tfkd.experiment.tables import comparison_table, latex_table, markdown_table

CELLS = [
    cell("two_step", "width", seed, value, value - 0.5)
    for seed, value in enumerate((2.1, 2.4, 2.7))
]


def test_mean_and_standard_deviation():
    cells = [{**c, "stoi": None if c["seed"] else 0.5, "estoi": None} for c in CELLS]
    assert markdown_table({"cells": cells}).splitlines()[2] == (
        "| width | two_step | float | 3 | 2.400 ± 0.300 | 0.500 (of 1) | - | 2.40 ± 0.30 |"
    )
    assert latex_table({"cells": cells}).splitlines()[4] == (
        r"width & two\_step & float & 3 & 2.400 $\pm$ 0.300 & 0.500 (of 1) & - & "
        r"2.40 $\pm$ 0.30 \\"
    )


def test_names_and_signs_that_mean_something_to_latex_or_markdown():
    odd = [cell("none", r"50%_a&b|c#$^~{\}", seed, -1.0 - seed, 0.5) for seed in (0, 1)]
    row = latex_table({"cells": odd}).splitlines()[4]
    assert row.startswith(
        r"50\%\_a\&b|c\#\$\textasciicircum{}\textasciitilde{}\{\textbackslash{}\} & none & float "
        r"& 2 & $-$1.500 $\pm$ 0.707 & "
    )
    assert markdown_table({"cells": odd}).splitlines()[2].startswith(r"| 50%_a&b\|c#")


def test_comparisons():
    table = comparison_table(CLEAR, "float").splitlines()
    assert len(table) == 2 + 4 * 9
    assert table[3].startswith("| width | cosine | none | PESQ-WB | 5 | +0.100 | +")
