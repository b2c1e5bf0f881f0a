"""In which order people review: by what the model is sure of, by what stands out, or by age."""

from __future__ import annotations

from enum import StrEnum

from django.db.models import F, FloatField, IntegerField, Q, QuerySet
from django.db.models.functions import Abs, Coalesce

from detection.models import Detection

# Half way between bogus and real. The same expression stands in the index of detections.
_UNSURE = Abs(F("queue_score") - 0.5)
# What is not known comes last.
_NOT_KNOWN = -1
_FIRST_BY = {
    "novelty": Coalesce(F("novelty"), _NOT_KNOWN, output_field=FloatField()),
    "urgency": Coalesce(F("urgency"), _NOT_KNOWN, output_field=IntegerField()),
    "unusual": Coalesce(F("anomaly"), _NOT_KNOWN, output_field=FloatField()),
    "disagreement": Coalesce(F("disagreement"), _NOT_KNOWN, output_field=FloatField()),
}
_NAMED_OTHERWISE = {"unusual": "anomaly"}


class Order(StrEnum):
    """An order of the queue. Keys of detections follow the time at which they were made."""

    SCORE = "score"
    URGENCY = "urgency"
    NOVELTY = "novelty"
    UNUSUAL = "unusual"
    DISAGREEMENT = "disagreement"
    UNCERTAIN = "uncertain"
    NEWEST = "newest"
    OLDEST = "oldest"

    def of(self, rows: QuerySet[Detection]) -> QuerySet[Detection]:
        """Return rows in this order."""
        if self == Order.UNCERTAIN:
            return rows.alias(unsure=_UNSURE).order_by("unsure", "id")
        if self in _FIRST_BY:
            return rows.alias(first_by=_FIRST_BY[self]).order_by("-first_by", "-queue_score", "id")
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
        if self in _FIRST_BY:
            value = getattr(last, _NAMED_OTHERWISE.get(self, self))
            value = _NOT_KNOWN if value is None else value
            same = Q(first_by=value) & (Q(queue_score__lt=last.queue_score) | same)
            return rows.alias(first_by=_FIRST_BY[self]).filter(Q(first_by__lte=value) & (Q(first_by__lt=value) | same))
        return rows.filter(Q(queue_score__lte=last.queue_score) & (Q(queue_score__lt=last.queue_score) | same))


_FIELDS = {Order.SCORE: ("-queue_score", "id"), Order.NEWEST: ("-id",), Order.OLDEST: ("id",)}
TITLES = {
    Order.SCORE: "best score first",
    Order.URGENCY: "most urgent first",
    Order.NOVELTY: "newest to the sky first",
    Order.UNUSUAL: "most unlike the training first",
    Order.DISAGREEMENT: "versions of the model disagree most first",
    Order.UNCERTAIN: "least certain first",
    Order.NEWEST: "newest first",
    Order.OLDEST: "oldest first",
}
