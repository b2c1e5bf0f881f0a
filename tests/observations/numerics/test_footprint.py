from __future__ import annotations

import math

import pytest

from observations.numerics.footprint import covers


def square(ra: float, dec: float, half_deg: float, turn_deg: float = 45.0) -> list[list[float]]:
    """Return corners as far from a centre on great circles as those of a square with such half sides."""
    corners = []
    d0, reach = math.radians(dec), math.radians(half_deg * math.sqrt(2.0))
    for k in range(4):
        angle = math.radians(turn_deg + 90.0 * k)
        d = math.asin(math.sin(d0) * math.cos(reach) + math.cos(d0) * math.sin(reach) * math.cos(angle))
        turn = math.atan2(
            math.sin(angle) * math.sin(reach) * math.cos(d0), math.cos(reach) - math.sin(d0) * math.sin(d)
        )
        corners.append([(ra + math.degrees(turn)) % 360.0, math.degrees(d)])
    return corners


@pytest.mark.parametrize(
    ("ra", "dec"), [(150.0, 2.0), (0.0, -30.0), (359.99, 85.0), (10.0, 89.999), (200.0, -89.9)], ids=str
)
@pytest.mark.parametrize("turn_deg", [45.0, 10.0])
def test_a_frame_covers_what_lies_between_its_corners_also_at_a_pole_and_across_ra_0(ra, dec, turn_deg):
    corners = square(ra, dec, 0.5, turn_deg)
    assert covers(corners, ra, dec)
    assert covers(corners[::-1], ra, dec), "whichever way round"
    # A place 0.05 degrees from a corner towards the centre is inside, as far beyond it is not.
    for scale, inside in ((0.9, True), (1.1, False)):
        for place in square(ra, dec, 0.5 * scale, turn_deg):
            assert covers(corners, *place) is inside
    assert not covers(corners, (ra + 180.0) % 360.0, -dec), "nor what is opposite"


def test_a_corner_on_the_far_side_of_the_sky_is_no_frames():
    # Without it the other three enclose the place.
    assert not covers([[350.0, -10.0], [10.0, -10.0], [0.0, 10.0], [170.0, 0.0]], 0.0, 0.0)


@pytest.mark.parametrize("corners", [[], [[150.0, 2.0]], [[150.0, 2.0], [151.0, 2.0]]])
def test_a_frame_of_unknown_extent_covers_nothing(corners):
    assert not covers(corners, 150.0, 2.0)
