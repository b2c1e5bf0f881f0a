"""What a filter of detections would have given on the last observed nights, before it is saved."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from django.db.models import Count, QuerySet

from catalog.models import Visitor
from detection.models import Detection
from observations.models import Observation

NIGHTS = (1, 7, 30)


@dataclass
class Night:
    """One night that was observed: its frames, what of them a filter leaves, and the list of that, for pages."""

    night: dt.date
    frames: int
    detections: int
    objects: int
    url: str = ""


def last_nights(user: Visitor, count: int) -> list[dt.date]:
    """Return the last nights that have frames, the newest first."""
    rows = Observation.objects.visible_to(user).filter(night__isnull=False).order_by("-night")
    return list(rows.values_list("night", flat=True).distinct()[:count])


def by_night(narrowed: QuerySet[Detection], user: Visitor, count: int) -> list[Night]:
    """Return what a filter leaves of each of the last nights, those with nothing too, the newest first."""
    nights = last_nights(user, count)
    of_frames = Observation.objects.visible_to(user).filter(night__in=nights).order_by().values("night")
    frames = dict(of_frames.annotate(count=Count("pk")).values_list("night", "count"))
    rows = narrowed.filter(observation__night__in=nights).order_by().values("observation__night")
    counted = rows.annotate(count=Count("pk"), sources=Count("source", distinct=True))
    found = {
        night: (number, objects)
        for night, number, objects in counted.values_list("observation__night", "count", "sources")
    }
    return [Night(night, frames.get(night, 0), *found.get(night, (0, 0))) for night in nights]
