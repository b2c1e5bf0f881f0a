"""Detections, for clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from django.db.models import QuerySet

from catalog.web.rest.paging import NEWEST_FIRST, OLDEST_CHANGE_FIRST
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from curation.detections.filters import DetectionFilter
from curation.injected.given import found_by_key
from curation.injected.rows import as_found
from curation.judgements import unmarked, visibility
from detection.models import Detection

_SCORE = "1 = real, 0 = bogus; of `model_version`. Null until you have answered, where hidden ones are mixed in."


class DetectionSerializer(RowSerializer):
    class Meta:
        model = Detection
        # How unusual one is, and what other versions say, `candidate-scores` tells whoever may know it.
        exclude = ("healpix", "drawn_score", "queue_score", "is_injected", "anomaly", "disagreement")
        extra_kwargs: ClassVar = {"confidence_score": {"allow_null": True, "help_text": _SCORE}}


class DetectionViewSet(RowViewSet):
    """What a model scored as real, with how people judged it."""

    resource = "detections"
    queryset = Detection.objects.all()
    serializer_class = DetectionSerializer
    filterset_class = DetectionFilter
    orderings = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        **OLDEST_CHANGE_FIRST,
        "-confidence_score": ("-queue_score", "id"),
        "confidence_score": ("queue_score", "-id"),
        **NEWEST_FIRST,
    }

    def get_queryset(self) -> QuerySet[Detection]:
        """Return what lists hold; by its key, also what the person was given to review."""
        rows: QuerySet[Detection] = super().get_queryset()
        return found_by_key(self.request.user) if self.action == "retrieve" else rows

    def cover(self, rows: Sequence[Detection]) -> None:
        as_found(rows)
        visibility.veil(rows, self.request.user)
        for row in rows:
            if unmarked.is_covered(row):
                row.source = None  # What was drawn has none, and what waits beside it shows none either.
