from __future__ import annotations

import math

import pytest

from detection.numerics.compass import north_and_east


def corners(angle_deg: float, *, is_mirrored: bool = False, ra: float = 0.0, dec: float = 50.0) -> list[list[float]]:
    """Return the corners of a frame of 0.2 degrees whose north is so far from up, counterclockwise on the screen."""
    angle, sign = math.radians(angle_deg), 1.0 if is_mirrored else -1.0
    found = []
    for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        north = -x * math.sin(angle) + y * math.cos(angle)
        right_of_north = x * math.cos(angle) + y * math.sin(angle)
        east = sign * right_of_north
        found.append([(ra + 0.1 * east / math.cos(math.radians(dec))) % 360.0, dec + 0.1 * north])
    return found


# The frame counts as flat: within 0.1 degrees of the truth at 50 degrees of declination.
@pytest.mark.parametrize("angle", [0.0, 30.0, 90.0, 180.0, 261.0])
def test_north_turns_with_the_frame_and_east_is_to_its_left(angle: float):
    north, east = north_and_east(corners(angle), 1024, 1024)
    expected = math.radians(angle)
    assert north == pytest.approx((-math.sin(expected), math.cos(expected)), abs=5e-3)
    assert east == pytest.approx((-north[1], north[0]), abs=5e-3)


def test_in_a_mirrored_frame_east_is_to_the_right_of_north():
    north, east = north_and_east(corners(0.0, is_mirrored=True), 1024, 1024)
    assert north == pytest.approx((0.0, 1.0), abs=5e-3)
    assert east == pytest.approx((1.0, 0.0), abs=5e-3)


def test_a_frame_across_right_ascension_zero_is_like_any_other():
    across, elsewhere = (north_and_east(corners(20.0, ra=ra), 1024, 1024) for ra in (0.0, 120.0))
    assert across[0] == pytest.approx(elsewhere[0])
    assert across[1] == pytest.approx(elsewhere[1])


@pytest.mark.parametrize("given", [[], [[1.0, 2.0]] * 3, [[1.0, 2.0]] * 4, [[1.0]] * 4])
def test_without_four_corners_that_span_an_area_there_is_no_compass(given: list[list[float]]):
    assert north_and_east(given, 100, 100) is None
