"""Sources beside each other in the sky."""

from __future__ import annotations

from detection.models import Source
from observations.models import WcsQuality
from observations.numerics.sphere import separation_deg

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
    return 3600.0 * float(separation_deg(other.ra, other.dec, one.ra, one.dec))
