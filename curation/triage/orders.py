"""In which order people review: what the model is surest of, or least sure of, or by age."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Abs

from detection.models import Detection

# Half way between bogus and real. The same expression stands in the index of detections.
_UNSURE = Abs(F("queue_score") - 0.5)


class Order(StrEnum):
    """An order of the queue. Keys of detections follow the time at which they were made."""

    SCORE = "score"
    UNCERTAIN = "uncertain"
    NEWEST = "newest"
    OLDEST = "oldest"

    def of(self, rows: QuerySet[Detection]) -> QuerySet[Detection]:
        """Return rows in this order."""
        if self == Order.UNCERTAIN:
            return rows.alias(unsure=_UNSURE).order_by("unsure", "id")
        return rows.order_by(*_FIELDS[self])

    def beyond(self, rows: QuerySet[Detection], last: Detection) -> QuerySet[Detection]:
        """Return what comes after a row: one range, which the index can begin at, and within it the rest."""
        if self == Order.NEWEST:
            return rows.filter(id__lt=last.pk)
        if self == Order.OLDEST:
            return rows.filter(id__gt=last.pk)
        if self == Order.UNCERTAIN:
            unsure = abs(last.queue_score - 0.5)
            same = Q(unsure=unsure, id__gt=last.pk)
            return rows.alias(unsure=_UNSURE).filter(Q(unsure__gte=unsure) & (Q(unsure__gt=unsure) | same))
        same = Q(queue_score=last.queue_score, id__gt=last.pk)
        return rows.filter(Q(queue_score__lte=last.queue_score) & (Q(queue_score__lt=last.queue_score) | same))


_FIELDS = {Order.SCORE: ("-queue_score", "id"), Order.NEWEST: ("-id",), Order.OLDEST: ("id",)}
TITLES = {
    Order.SCORE: "best score first",
    Order.UNCERTAIN: "least certain first",
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
}
