"""What of a saved filter, which narrows detections, holds for alerts as well."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import QueryDict

from curation.alerts.criteria import Criteria
from curation.models import SavedFilter
from detection.models import DetectionType
from observations.positions import parse_position

# Where in a list one is and how it is ordered narrows nothing.
_NO_FILTERS = frozenset({"order", "by", "page_size"})
_TAKEN = frozenset({"score_min", "confidence_score__gte", "detection_type", "label", "cone", "place"})


@dataclass(frozen=True)
class Taken:
    """Criteria that were taken over, and the names of what was not."""

    criteria: Criteria
    left: tuple[str, ...]


def taken_from(saved: SavedFilter) -> Taken:
    """Return the criteria that a saved filter says as well: score, kind, label, and a place that is a position."""
    given = QueryDict(saved.query)
    left = set(given) - _NO_FILTERS - _TAKEN
    where = given.get("cone") or given.get("place") or ""
    place = parse_position(where)
    if where and place is None:
        left.add("place")
    ra, dec, radius = place or (None, None, None)
    kind, label = given.get("detection_type", ""), given.get("label", "")
    criteria = Criteria(
        score_min=_share(given.get("score_min") or given.get("confidence_score__gte") or ""),
        detection_types=(DetectionType(kind),) if kind in DetectionType.values else (),
        labels=(label.strip().lower().replace(" ", "_"),) if label else (),
        ra_deg=ra,
        dec_deg=dec,
        radius_arcsec=radius,
    )
    return Taken(criteria, tuple(sorted(name.replace("_", " ") for name in left)))


def _share(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= 1.0 else None
