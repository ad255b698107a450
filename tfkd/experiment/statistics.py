"""Paired comparison of methods over seeds: t-test, Holm's correction, effect size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Comparison:
    """A method against a reference over the same seeds."""

    pairs: int
    difference: float  # mean of method - reference
    standard_deviation: float  # of the differences
    effect_size: float  # Cohen's d_z
    p_value: float  # two-sided, not corrected


def paired_comparison(method: Sequence[float], reference: Sequence[float]) -> Comparison:
    """Student's paired t-test and Cohen's d_z.

    Formula: d = method - reference; d_z = mean(d) / sd(d); t = d_z sqrt(n), n - 1 degrees of
    freedom. sd has n - 1 in its denominator. With fewer than two pairs, or without any spread, test
    and effect size are undefined: NaN.

    Args:
        method, reference: one value per seed, in the same order.
    """
    differences = np.asarray(method, float) - np.asarray(reference, float)
    count = len(differences)
    mean = float(differences.mean()) if count else nan
    if count < 2:
        return Comparison(count, mean, nan, nan, nan)
    spread = float(differences.std(ddof=1))
    if spread <= 1e-12 * max(1.0, abs(mean)):  # rounding alone
        return Comparison(count, mean, 0.0, nan, nan)
    p_value = float(stats.ttest_1samp(differences, 0.0).pvalue)
    return Comparison(count, mean, spread, mean / spread, p_value)


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction (1979): the family-wise error stays below the level.

    Formula: sorted ascending, p~(i) = max over j <= i of min(1, (m - j + 1) p(j)). NaN stays NaN
    and does not count into m.
    """
    defined = sorted((p, i) for i, p in enumerate(p_values) if p == p)
    corrected = [nan] * len(p_values)
    largest = 0.0
    for rank, (p, index) in enumerate(defined):
        largest = max(largest, min(1.0, (len(defined) - rank) * p))
        corrected[index] = largest
    return corrected


def detectable_effect(pairs: int, comparisons: int, level: float) -> float:
    """The |d_z| from which the smallest of m p-values passes Holm's first step.

    Formula: t(1 - level / (2 m), n - 1) / sqrt(n).
    """
    return float(stats.t.isf(level / (2 * comparisons), pairs - 1)) / sqrt(pairs)
