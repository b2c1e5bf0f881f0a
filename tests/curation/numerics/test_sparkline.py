from __future__ import annotations

import pytest

from curation.numerics.sparkline import Frame, Sample, sparkline

FRAME = Frame(left=10.0, top=0.0, right=110.0, bottom=50.0)


def test_bright_is_up_in_magnitudes_and_in_counts():
    faint, bright = Sample(1.0, 20.0), Sample(2.0, 18.0)
    marks = sparkline([faint, bright], [], FRAME, is_magnitude=True).marks
    assert marks[1].y < marks[0].y
    marks = sparkline([faint, bright], [], FRAME, is_magnitude=False).marks
    assert marks[1].y > marks[0].y


def test_the_first_and_the_last_day_lie_on_the_edges_and_the_middle_between_them():
    plot = sparkline([Sample(5.0, 1.0), Sample(9.0, 2.0)], [Sample(7.0, None)], FRAME, is_magnitude=False)
    assert [mark.x for mark in plot.marks] == [10.0, 110.0]
    assert plot.limits[0].x == 60.0


def test_points_bars_and_limits_stay_inside_the_frame():
    samples = [Sample(1.0, 15.0, 0.5), Sample(2.0, 21.0, 2.0)]
    plot = sparkline(samples, [Sample(3.0, 22.5)], FRAME, is_magnitude=True)
    ends = [end for mark in (*plot.marks, *plot.limits) for end in (mark.y, mark.low, mark.high)]
    assert all(FRAME.top < end < FRAME.bottom for end in ends)
    assert plot.marks[1].high - plot.marks[1].low == pytest.approx(
        4 * (plot.marks[0].high - plot.marks[0].low), abs=0.1
    )
    assert plot.highest < 14.5 < 23.0 < plot.lowest, "the axis is written with its bright end above"


def test_a_limit_without_a_value_lies_on_the_lower_edge():
    plot = sparkline([Sample(1.0, 100.0)], [Sample(2.0, None)], FRAME, is_magnitude=False)
    assert plot.limits[0].y == FRAME.bottom


def test_a_single_point_lies_in_the_middle():
    [mark] = sparkline([Sample(60000.0, 17.0)], [], FRAME, is_magnitude=True).marks
    assert (mark.x, mark.y) == (60.0, 25.0)


def test_what_is_not_known_is_not_drawn():
    plot = sparkline([Sample(1.0, None), Sample(2.0, 3.0)], [], FRAME, is_magnitude=False)
    assert plot.marks[0] is None
    assert sparkline([Sample(1.0, None)], [Sample(2.0, 20.0)], FRAME, is_magnitude=True) is None
