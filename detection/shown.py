"""Which of some detections, and what of sources, a person may see where surveys are hidden from them."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.db.models import Count, Max, Min

from catalog.hiding import hidden_from
from catalog.models import Visitor
from detection.models import DataSet, Detection, Source
from observations.numerics.site import time_of

# Of a data set's manifest: files that it was made of, and labels that are likely wrong, each of one detection.
_OF_FRAMES = ("origins", "suspects")


def shown_among(keys: Iterable[UUID], user: Visitor) -> list[UUID]:
    """Return those of some detections that are not hidden from a person with their survey, in their order."""
    asked, hidden = list(keys), hidden_from(user)
    if not hidden or not asked:
        return asked
    rows = Detection.with_injected.filter(pk__in=asked).outside(hidden)
    shown = set(rows.values_list("pk", flat=True))
    return [key for key in asked if key in shown]


def without_frames(rows: Iterable[DataSet], user: Visitor) -> None:
    """Let data sets tell nothing of single frames to whom surveys are hidden from; they are never saved."""
    for row in rows if hidden_from(user) else ():
        row.manifest = {name: told for name, told in row.manifest.items() if name not in _OF_FRAMES}


def as_shown(sources: Iterable[Source], user: Visitor) -> None:
    """Let sources tell how many detections this person may see of them, and from when; they are never saved.

    Their position stays that of all detections.
    """
    rows, hidden = {row.pk: row for row in sources}, hidden_from(user)
    if not hidden or not rows:
        return
    counted = Detection.objects.filter(source__in=rows).outside(hidden).order_by().values("source")
    for one in counted.annotate(count=Count("pk"), first=Min("observation__mjd_utc"), last=Max("observation__mjd_utc")):
        row = rows[one["source"]]
        # Of those that see all of it, what is stored says the same.
        if one["count"] != row.detection_count:
            row.detection_count = one["count"]
            row.first_detected_at, row.last_detected_at = time_of(one["first"]), time_of(one["last"])
