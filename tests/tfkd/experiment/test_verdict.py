"""The text of studies whose answers are known."""

import pytest
from synthetic_study import CLEAR, study

from tfkd.experiment.result import comparisons
from tfkd.experiment.verdict import listed, p_text, plural, verdict


def bullets(result, system, reference):
    text = verdict(result).split(f"## {system} models")[1].split("##")[0]
    return text.split(f"Against `{reference}`:\n\n")[1].split("\n\n")[0].strip().splitlines()


def test_what_is_significant_is_said_and_nothing_else():
    hint, cosine = bullets(CLEAR, "float", "none")
    scores = (
        "PESQ-WB {0}, p < .001; STOI {0}, p < .001; ESTOI {0}, p < .001; SI-SDR {1} dB, p < .001"
    )
    up, down = scores.format("+0.100", "+0.10"), scores.format("-0.100", "-0.10")
    assert cosine == (
        f"- `cosine` is significantly better in width ({up}) and significantly worse in latent "
        f"({down}); the other 4 comparisons are not significant."
    )
    twice, half = scores.format("+0.200", "+0.20"), scores.format("+0.100", "+0.10")
    assert hint == (
        f"- `hint` is significantly better in latent ({twice}) and the mean over scenarios "
        f"({half}); the other 4 comparisons are not significant."
    )
    (cosine,) = bullets(CLEAR, "float", "hint")
    assert "better in width" in cosine and "worse in latent" in cosine


def test_equal_methods_do_not_differ():
    for line in bullets(CLEAR, "int8", "none"):
        assert "does not differ significantly in any metric or scenario (smallest p = " in line
        assert "better" not in line and "worse" not in line


def test_the_extent_and_the_power():
    text = verdict(CLEAR)
    assert text.startswith("3 methods x 2 scenarios x 5 seeds: 30 of 30 cells finished.\n\n")
    assert "Lambda, chosen on validation: `cosine` 0.3." in text
    # t(1 - .05 / 12, 4) = 4.8510 (tables: 4.604 for .005, 5.598 for .0025), over sqrt(5)
    assert "the 6 comparisons of one metric and system" in text
    assert "|d_z| = 2.2 with 5 seeds" in text and "not about other recordings" in text


def test_a_lambda_at_the_edge_of_its_candidates_is_said():
    def text(*tried):
        tuning = [
            {"method": "cosine", "weight": weight, "valid_supervised_loss": loss}
            for weight, loss in tried
        ]
        return verdict({**CLEAR, "tuning": tuning})

    said = "Of its candidates `cosine` 0.3 is the {}: beyond it may lie a better one."
    assert said.format("largest") in text((0.1, 0.2), (0.3, 0.1), (1.0, None))
    assert said.format("smallest") in text((0.3, 0.1), (1.0, 0.2))
    for inside in (verdict(CLEAR), text((0.1, 0.2), (0.3, 0.1), (1.0, 0.2)), text((0.3, 0.1))):
        assert "candidates" not in inside


def test_highest_means():
    text = verdict(CLEAR).split("## int8")[0]
    assert "PESQ-WB: `cosine` (width) and `hint` (latent)" in text


def test_failed_cells_are_named():
    failed = [{"method": "cka", "scenario": "width", "seed": 3, "why": "exit code 1"}]
    text = verdict({**CLEAR, "failed": failed})
    assert "4 methods x 2 scenarios x 5 seeds: 30 of 31 cells finished." in text
    assert "Failed and left out: width/cka/seed 3." in text


def test_one_seed_tests_nothing():
    text = verdict(study({("none", "width"): 1.0, ("cosine", "width"): 1.1}, seeds=1))
    assert text.startswith("2 methods x 1 scenario x 1 seed: 2 of 2 cells finished.")
    assert "Nothing can be tested" in text
    assert "- `cosine` cannot be tested." in text and "significantly" not in text


def test_without_references_or_cells():
    alone = study({("cka", "width"): 1.0})
    assert "Nothing can be tested" in verdict(alone) and "Against" not in verdict(alone)
    failed = [{"method": "none", "scenario": "width", "seed": 0, "why": "exit code 1"}]
    empty = study({}, failed=failed, weights={}, tuning=[])
    assert verdict(empty) == (
        "1 method x 1 scenario x 1 seed: 0 of 1 cell finished. Failed and left out: "
        "width/none/seed 0.\n"
    )


@pytest.mark.parametrize(
    ("p", "text"),
    [(0.00049, "p < .001"), (0.0005, "p = .001"), (0.0321, "p = .032"), (1.0, "p = 1.000")],
)
def test_p(p, text):
    assert p_text(p) == text


def test_grammar():
    assert listed(["a"]) == "a" and listed(["a", "b"]) == "a and b"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert plural(1, "seed") == "1 seed" and plural(0, "cell") == "0 cells"


def test_lambdas_that_were_not_tuned_are_named():
    cells = [
        {**c, "weight": {"none": None, "hint": 1.0, "cosine": 0.3}[c["method"]]}
        for c in CLEAR["cells"]
    ]
    assert (
        "Lambda, chosen on validation: `cosine` 0.3. Lambda, given and not tuned: `hint` 1.\n"
    ) in verdict({**CLEAR, "cells": cells})


def of(cells):
    return {**CLEAR, "cells": cells, "comparisons": comparisons(cells)}


def test_highest_means_are_of_the_same_seeds_and_may_be_equal():
    # seed 2 is the luckiest and seed 4 the unluckiest
    cells = [c for c in CLEAR["cells"] if c["scenario"] == "width" and c["method"] != "hint"]
    close = [{**c, "pesq_wb": c["pesq_wb"] - 0.098 * (c["method"] == "cosine")} for c in cells]
    lucky = [c for c in close if c["method"] == "cosine" or c["seed"] == 2]
    assert "PESQ-WB: `cosine` (width);" in verdict(of(lucky))
    assert "PESQ-WB: `none` = `hint` = `cosine` (width)" in verdict(CLEAR).split("## int8")[1]
    alone = study({("none", "width"): 1.0})
    assert "Highest" not in verdict(alone)


def test_what_cannot_be_tested_is_said_beside_what_can():
    lost = [c for c in CLEAR["cells"] if (c["method"], c["scenario"]) != ("cosine", "width")]
    _, cosine = bullets(of(lost), "float", "none")
    assert cosine.endswith("SI-SDR -0.10 dB, p < .001); 8 comparisons cannot be tested.")
    _, cosine = bullets(of(lost), "int8", "none")
    assert cosine == (
        "- `cosine` does not differ significantly in what can be tested (smallest p = 1.000); "
        "8 comparisons cannot be tested."
    )
    apart = [c for c in CLEAR["cells"] if (c["method"] == "none") == (c["seed"] < 2)]
    assert bullets(of(apart), "float", "none")[1] == "- `cosine` cannot be tested."


def test_undefined_scores_are_told():
    cells = [{**c, "stoi": None if c["seed"] == 1 else c["stoi"]} for c in CLEAR["cells"]]
    assert "a recording has no such value: STOI of 6 float models." in verdict(of(cells))
