"""Sources beside each other in the sky."""

from __future__ import annotations

import math

from detection.models import Source
from observations.models import WcsQuality

NEIGHBOURHOOD_ARCSEC = 10.0


def neighbours_of(source: Source) -> list[tuple[Source, float]]:
    """Return the other sources within ten arcseconds, the nearest first, with their distance in arcseconds.

    Where either position is from pointing and optics only, nothing can be said.
    """
    if source.wcs_quality == WcsQuality.NOMINAL:
        return []
    near = Source.objects.cone(source.ra, source.dec, NEIGHBOURHOOD_ARCSEC).exclude(pk=source.pk)
    solved = near.exclude(wcs_quality=WcsQuality.NOMINAL)
    return sorted(((other, _distance_arcsec(source, other)) for other in solved), key=lambda pair: pair[1])


def _distance_arcsec(one: Source, other: Source) -> float:
    """Return the great-circle distance (haversine: exact for small ones)."""
    dec, other_dec = math.radians(one.dec), math.radians(other.dec)
    half_dec, half_ra = (other_dec - dec) / 2.0, math.radians(other.ra - one.ra) / 2.0
    square = math.sin(half_dec) ** 2 + math.cos(dec) * math.cos(other_dec) * math.sin(half_ra) ** 2
    return math.degrees(2.0 * math.asin(math.sqrt(min(square, 1.0)))) * 3600.0
