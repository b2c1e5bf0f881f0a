"""Where north and east are in an image whose corners are known."""

from __future__ import annotations

import math
from collections.abc import Sequence

Direction = tuple[float, float]


def north_and_east(
    corners: Sequence[Sequence[float]], width_px: float, height_px: float
) -> tuple[Direction, Direction] | None:
    """Return the directions of north and east in pixels, x to the right and y upwards, each of length 1.

    The frame counts as flat, which for the direction in it is good to a degree outside the polar caps.

    Parameters
    ----------
    corners : [ra, dec] in ICRS degrees of the lower left, lower right, upper right and upper left corner.
    width_px, height_px : between the corners.

    Returns
    -------
    Two unit vectors, or None where the corners span no area.
    """
    if len(corners) != 4 or any(len(corner) != 2 for corner in corners):
        return None
    (left_ra, left_dec), (right_ra, right_dec), _, (top_ra, top_dec) = corners
    shrink = math.cos(math.radians(sum(corner[1] for corner in corners) / 4.0))
    # East and north, in degrees on the sky, of one pixel to the right and one upwards.
    right = (_turn(right_ra - left_ra) * shrink / width_px, (right_dec - left_dec) / width_px)
    up = (_turn(top_ra - left_ra) * shrink / height_px, (top_dec - left_dec) / height_px)
    area = right[0] * up[1] - right[1] * up[0]
    if area == 0.0 or not math.isfinite(area):
        return None
    east = (up[1] / area, -right[1] / area)
    north = (-up[0] / area, right[0] / area)
    return _unit(north), _unit(east)


def _turn(degrees: float) -> float:
    return (degrees + 180.0) % 360.0 - 180.0


def _unit(direction: Direction) -> Direction:
    length = math.hypot(*direction)
    return direction[0] / length, direction[1] / length
