import math

from tfkd.report.axis import category_axis, linear_axis, path


def test_ends_are_round_numbers_around_the_values():
    axis = linear_axis("dB", [1.3, 37.2, math.nan, math.inf])
    assert (axis.low, axis.high) == (0.0, 40.0)
    assert [tick.label for tick in axis.ticks] == ["0", "10", "20", "30", "40"]
    assert axis.place(10.0) == 25.0


def test_given_ends_stay_and_the_last_tick_has_the_unit():
    axis = linear_axis("", [], low=0.0, high=3.7, count=6, unit="s")
    assert (axis.low, axis.high) == (0.0, 3.7)
    assert [tick.label for tick in axis.ticks][-1] == "3 s"


def test_negative_numbers_have_a_true_minus_and_enough_digits():
    axis = linear_axis("", [-0.25, 0.25])
    assert axis.ticks[0].label == "\N{MINUS SIGN}0.25" or axis.ticks[0].label == "\N{MINUS SIGN}0.4"


def test_equal_values_make_an_axis_all_the_same():
    axis = linear_axis("", [2.0, 2.0])
    assert axis.low <= 2.0 < axis.high


def test_categories_stand_in_the_middle_of_their_shares():
    assert [tick.place for tick in category_axis("", ["a", "b"]).ticks] == [25.0, 75.0]


def test_a_path_runs_upwards_and_breaks_where_a_value_is_missing():
    axis = linear_axis("", [], low=0.0, high=10.0)
    points = [(0, 0), (5, 10), (6, math.nan), (10, 5)]
    assert path(points, axis, axis) == "M0 100L50 0M100 50"
