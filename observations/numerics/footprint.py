"""Whether a frame shows a place in the sky."""

from __future__ import annotations

import math
from collections.abc import Sequence

Corner = Sequence[float]


def covers(corners: Sequence[Corner], ra: float, dec: float) -> bool:
    """Tell whether a place lies within a frame given by its corners, all [ra, dec] in ICRS degrees.

    The edges are great circles: in the gnomonic projection about the place (Calabretta & Greisen 2002, A&A 395, 1077,
    section 5.1.3) they are straight lines, and the place is inside when they cross the half-line from it an odd number
    of times. Poles and RA 0 need no care. A frame without three corners, or with one 90 degrees away, covers nothing.
    """
    flat = [_projected(corner[0], corner[1], ra, dec) for corner in corners]
    points = [point for point in flat if point is not None]
    if len(points) < 3 or len(points) < len(flat):
        return False
    crossings = 0
    for (x1, y1), (x2, y2) in zip(points, points[1:] + points[:1], strict=True):
        if (y1 > 0.0) != (y2 > 0.0) and x1 - y1 * (x2 - x1) / (y2 - y1) > 0.0:
            crossings += 1
    return crossings % 2 == 1


def _projected(ra: float, dec: float, ra0: float, dec0: float) -> tuple[float, float] | None:
    """Return x (east) and y (north) of a corner in the plane that touches the sky at (ra0, dec0)."""
    turn, d, d0 = math.radians(ra - ra0), math.radians(dec), math.radians(dec0)
    depth = math.sin(d0) * math.sin(d) + math.cos(d0) * math.cos(d) * math.cos(turn)
    if depth <= 0.0:
        return None
    x = math.cos(d) * math.sin(turn)
    y = math.cos(d0) * math.sin(d) - math.sin(d0) * math.cos(d) * math.cos(turn)
    return x / depth, y / depth
