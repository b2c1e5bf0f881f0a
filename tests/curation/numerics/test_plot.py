from __future__ import annotations

import itertools

import pytest

from curation.numerics.plot import days_axis, nights_axis, values_axis


def test_everything_lies_within_the_axis_and_its_marks_are_round():
    axis = values_axis([17.3, 19.86])
    assert 0.0 < axis.percent(17.3) < axis.percent(19.86) < 100.0
    assert axis.step == 1.0
    assert axis.marks == [18.0, 19.0, 20.0]
    assert axis.decimals == 0


@pytest.mark.parametrize(("values", "step", "decimals"), [([0.0, 6000.0], 2000.0, 0), ([14.10, 14.22], 0.05, 2)])
def test_marks_are_one_two_or_five_of_a_power_of_ten(values: list[float], step: float, decimals: int):
    axis = values_axis(values)
    assert axis.step == pytest.approx(step)
    assert axis.decimals == decimals
    assert 2 <= len(axis.marks) <= 7


def test_one_value_has_room_around_it():
    axis = values_axis([15.0])
    assert axis.percent(15.0) == pytest.approx(50.0)
    assert axis.high - axis.low >= 0.1


@pytest.mark.parametrize(
    ("days", "step_days"),
    [
        ([60000.0], 10 / 1440),
        ([60000.0, 60000.2], 120 / 1440),
        ([60000.0, 60003.0], 1.0),
        ([0.0, 800.0], 200),
    ],
)
def test_times_have_marks_at_round_minutes_hours_and_days(days: list[float], step_days: float):
    assert days_axis(days).step == pytest.approx(step_days)


def test_a_mark_that_rounding_puts_beside_the_end_is_still_one():
    axis = values_axis([0.1 * 3, 0.7], least=0.0)
    assert all(axis.low - 1e-9 <= mark <= axis.high + 1e-9 for mark in axis.marks)


def test_nights_stand_side_by_side_and_what_was_taken_minutes_apart_can_be_pressed_apart():
    nights = [60000.0 + night + minutes / 1440.0 for night in (0.0, 1.0, 400.0) for minutes in (0.0, 5.0, 20.0)]
    axis = nights_axis(nights)
    places = [axis.percent(day) * axis.width_px / 100.0 for day in nights]
    assert places == sorted(places)
    assert min(after - before for before, after in itertools.pairwise(places)) >= 13.9
    assert 0.0 < places[0] < places[-1] < axis.width_px
    left = [night.left for night in axis.nights]
    assert left == pytest.approx([0.0, 100.0 / 3.0, 200.0 / 3.0]), "the days between take no room"


def test_one_frame_a_night_stands_in_the_middle_of_its_night():
    axis = nights_axis([60000.0, 60003.0])
    assert [axis.percent(day) for day in (60000.0, 60003.0)] == [25.0, 75.0]


def test_one_night_has_no_neighbours_and_a_long_winter_night_is_one():
    assert nights_axis([60000.0]) is None
    assert nights_axis([60000.0 + hours / 24.0 for hours in range(14)]) is None


def test_a_hundred_frames_of_one_minute_do_not_widen_a_night_without_end():
    axis = nights_axis([60000.0 + second / 86400.0 for second in range(100)] + [60001.0])
    assert axis.width_px < 800.0
