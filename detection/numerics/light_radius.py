"""How deep in the light of a galaxy a place lies."""

from __future__ import annotations

import math


def in_light_radii(
    separation_arcsec: float,
    direction_deg: float,
    semi_major_arcsec: float,
    axis_ratio: float,
    angle_deg: float | None,
) -> float:
    """Return a distance from a galaxy's middle in units of its directional light radius.

        d = θ / DLR,   DLR(φ) = a / sqrt((sin φ · a / b)² + cos² φ)

    with a and b the half axes of the ellipse that holds half the light and φ the angle between its long axis and the
    direction to the place (Sullivan et al. 2006, ApJ 648, 868, doi:10.1086/506137; Gupta et al. 2016, AJ 152, 154,
    doi:10.3847/0004-6256/152/6/154). Where the direction of the long axis is not known, the circle of the same area
    stands for the ellipse.

    Parameters
    ----------
    separation_arcsec, direction_deg : of the place from the middle, or of the middle from the place.
    semi_major_arcsec, axis_ratio, angle_deg : half the long axis, b / a (0 to 1), and its direction from north by east.
    """
    ratio = min(axis_ratio, 1.0 / axis_ratio)
    if angle_deg is None:
        return separation_arcsec / (semi_major_arcsec * math.sqrt(ratio))
    turn = math.radians(direction_deg - angle_deg)
    return separation_arcsec * math.hypot(math.sin(turn) / ratio, math.cos(turn)) / semi_major_arcsec
