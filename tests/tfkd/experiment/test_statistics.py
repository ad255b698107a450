"""Paired tests against values worked out by hand."""

from math import isnan, nan, sqrt

import pytest

from tfkd.experiment.statistics import detectable_effect, holm, paired_comparison


def test_paired_comparison_by_hand():
    # differences 1, 2, 3: mean 2, sd 1, d_z 2, t = 2 sqrt(3) with 2 degrees of freedom, whose
    # two-sided tail is 1 - t / sqrt(2 + t^2)
    result = paired_comparison([2.0, 4.0, 6.0], [1.0, 2.0, 3.0])
    assert (result.pairs, result.difference, result.standard_deviation) == (3, 2.0, 1.0)
    assert result.effect_size == 2.0
    assert result.p_value == pytest.approx(1 - sqrt(12 / 14))


def test_too_few_or_equal_pairs_are_undefined():
    one = paired_comparison([2.0], [1.0])
    assert one.difference == 1.0 and isnan(one.p_value) and isnan(one.effect_size)
    same = paired_comparison([2.0, 3.0], [1.0, 2.0])
    assert same.standard_deviation == 0.0 and isnan(same.p_value)


def test_holm_by_hand():
    # 3 x 0.01; 2 x 0.02; 1 x 0.03, raised to the one before
    assert holm([0.02, 0.01, 0.03]) == pytest.approx([0.04, 0.03, 0.04])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    corrected = holm([nan, 0.02])
    assert isnan(corrected[0]) and corrected[1] == 0.02


def test_detectable_effect_by_hand():
    # t with 2 degrees of freedom: two-sided .05 / 1 at 4.3027, over sqrt(3)
    assert detectable_effect(3, 1, 0.05) == pytest.approx(4.3027 / sqrt(3), rel=1e-4)
