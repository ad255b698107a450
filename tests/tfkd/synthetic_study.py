"""Studies whose answers are known."""

from tfkd.experiment.result import comparisons
from tfkd.metrics import METRICS

NOISE = (0.001, -0.001, 0.002, 0.0, -0.002)  # what a seed adds, whatever the method


def cell(method, scenario, seed, float_value, int8_value, **extra):
    return {
        "method": method,
        "scenario": scenario,
        "seed": seed,
        "weight": None,
        "parameters": 12000 if scenario == "width" else 3400,
        **dict.fromkeys(METRICS, float_value),
        "int8": dict.fromkeys(METRICS, int8_value),
        "noisy": dict.fromkeys(METRICS, 0.5),
        "history": {"step": [10, 20], "supervised_loss": [0.2, 0.1]},
        **extra,
    }


def study(levels, seeds=5, **extra):
    """A result from (method, scenario) -> mean of the float models; int8 is 0.1 below, without any
    difference between methods.

    The k-th method's own spread over seeds is a rotation of NOISE, ten times smaller.
    """
    methods = list(dict.fromkeys(method for method, _ in levels))
    cells = []
    for (method, scenario), level in levels.items():
        turn = methods.index(method)
        for seed in range(seeds):
            own = NOISE[(seed + turn) % 5] / 10
            history = {"step": [10, 20], "supervised_loss": [0.2, 0.1]}
            if method in ("hint", "cosine"):
                history["latent_cosine"] = [0.5, 0.75 + own]
            value = level + NOISE[seed % 5] + own
            cells.append(cell(method, scenario, seed, value, 0.9 + own, history=history))
    tuning = [
        {"method": "cosine", "weight": weight, "valid_supervised_loss": loss}
        for weight, loss in ((0.1, 0.111), (0.3, 0.105), (1.0, 0.12))
    ]
    result = {"schema": 1, "weights": {"cosine": 0.3}, "tuning": tuning}
    result |= {"teacher": None, "failed": []}
    return {**result, "cells": cells, "comparisons": comparisons(cells), **extra}


CLEAR = study(
    {
        ("none", "width"): 1.0,
        ("hint", "width"): 1.0,
        ("cosine", "width"): 1.1,
        ("none", "latent"): 1.0,
        ("hint", "latent"): 1.2,
        ("cosine", "latent"): 0.9,
    }
)
"""cosine is better than none in width by .1, worse in latent by .1; hint better in latent alone."""
