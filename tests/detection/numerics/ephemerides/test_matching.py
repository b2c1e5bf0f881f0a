"""Verdicts: by the ellipse of the orbit, the error of the detection, and the brightness."""

from __future__ import annotations

import pytest

from detection.numerics.ephemerides.matching import Predicted, Seen, Verdict, compare, judge

HERE = Seen(150.0, 60.0, 0.3, mag=18.0)


def body(east=0.0, north=0.0, along=0.5, across=0.5, angle=0.0, rate=0.5, mag=18.0):
    """Return a body some arcseconds from the detection."""
    dec = HERE.dec + north / 3600.0
    return Predicted(HERE.ra + east / 3600.0 / 0.5, dec, rate, along, across, angle, mag)


def verdict(*bodies, match=5.0, search=30.0):
    return judge([compare(HERE, one, match, search) for one in bodies])


def test_separations_are_arcseconds_on_the_sky_and_point_to_the_body():
    one = compare(HERE, body(east=3.0, north=4.0), 5.0, 30.0)
    assert one.separation_arcsec == pytest.approx(5.0, abs=1e-3)
    assert one.position_angle_deg == pytest.approx(36.87, abs=0.02)


def test_what_is_within_the_match_radius_is_known_however_sharp_its_orbit():
    assert verdict(body(east=4.9, along=0.1, across=0.1)) == (Verdict.KNOWN, 0)
    assert verdict(body(east=5.1, along=0.1, across=0.1)) == (Verdict.NOT_KNOWN, None)


def test_an_orbit_that_leaves_room_along_its_way_matches_there_and_not_across():
    assert verdict(body(north=20.0, along=8.0, angle=0.0))[0] == Verdict.KNOWN
    assert verdict(body(north=20.0, along=8.0, angle=90.0))[0] == Verdict.NOT_KNOWN
    assert verdict(body(east=20.0, along=8.0, angle=90.0))[0] == Verdict.KNOWN


def test_the_long_axis_is_counted_from_north_by_east():
    assert verdict(body(east=14.0, north=14.0, along=8.0, angle=45.0))[0] == Verdict.KNOWN
    assert verdict(body(east=-14.0, north=14.0, along=8.0, angle=45.0))[0] == Verdict.NOT_KNOWN


def test_of_an_orbit_that_leaves_too_much_room_nothing_can_be_said():
    assert verdict(body(north=200.0, along=100.0)) == (Verdict.CANNOT_SAY, 0)
    assert verdict(body(north=2.0, along=100.0)) == (Verdict.CANNOT_SAY, 0)


def test_a_sharp_orbit_decides_before_a_vague_one():
    assert verdict(body(north=1.0, along=100.0), body(north=2.0)) == (Verdict.KNOWN, 1)


def test_of_two_the_one_of_fewer_sigma_is_taken():
    assert verdict(body(north=3.0, along=0.5), body(north=4.0, along=5.0)) == (Verdict.KNOWN, 1)


def test_a_body_predicted_far_fainter_is_not_what_was_seen():
    assert verdict(body(north=1.0, mag=20.1)) == (Verdict.NOT_KNOWN, None)
    assert verdict(body(north=1.0, mag=19.9))[0] == Verdict.KNOWN
    assert verdict(body(north=1.0, mag=None))[0] == Verdict.KNOWN


def test_a_body_predicted_brighter_may_be_what_was_seen():
    assert verdict(body(north=1.0, mag=14.0))[0] == Verdict.KNOWN


def test_what_moves_fast_is_allowed_for_a_second_of_the_clock():
    assert verdict(body(north=20.0, rate=600.0))[0] == Verdict.KNOWN
    assert verdict(body(north=20.0, rate=60.0))[0] == Verdict.NOT_KNOWN


def test_across_the_beginning_of_right_ascension_a_neighbour_is_near():
    seen = Seen(359.9999, 0.0, 0.3)
    one = compare(seen, Predicted(0.0001, 0.0, 0.5, 0.5, 0.5, 0.0), 5.0, 30.0)
    assert one.separation_arcsec == pytest.approx(0.72, abs=1e-6)


def test_where_no_body_is_near_none_is_known():
    assert verdict() == (Verdict.NOT_KNOWN, None)
