"""Sources beside each other in the sky."""

from __future__ import annotations

from django.db.models import QuerySet

from catalog.models import Visitor
from detection.models import Source
from detection.shown import as_shown
from observations.models import WcsQuality
from observations.numerics.sphere import separation_deg

NEIGHBOURHOOD_ARCSEC = 10.0


def neighbours_of(source: Source, user: Visitor) -> list[tuple[Source, float]]:
    """Return the other sources within ten arcseconds that a person may see, with their distances in arcseconds.

    The nearest comes first.     Where either position is from pointing and optics only, nothing can be said.
    """
    if source.wcs_quality == WcsQuality.NOMINAL:
        return []
    near = Source.objects.not_hidden_from(user).cone(source.ra, source.dec, NEIGHBOURHOOD_ARCSEC).exclude(pk=source.pk)
    solved = near.exclude(wcs_quality=WcsQuality.NOMINAL)
    return sorted(((other, _distance_arcsec(source, other)) for other in _told(solved, user)), key=lambda pair: pair[1])


def _told(rows: QuerySet[Source], user: Visitor) -> list[Source]:
    found = list(rows)
    as_shown(found, user)
    return found


def _distance_arcsec(one: Source, other: Source) -> float:
    return 3600.0 * float(separation_deg(other.ra, other.dec, one.ra, one.dec))
