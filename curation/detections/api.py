"""Detections, for clients."""

from __future__ import annotations

from typing import Any

from catalog.web.rest.paging import NEWEST_FIRST
from catalog.web.rest.views import RowSerializer, RowViewSet
from curation.detections.filters import DetectionFilter
from curation.judgements import visibility
from detection.models import Detection


class DetectionSerializer(RowSerializer):
    class Meta:
        model = Detection
        exclude = ("healpix",)


class DetectionViewSet(RowViewSet):
    """What a model scored as real, with how people judged it."""

    resource = "detections"
    queryset = Detection.objects.all()
    serializer_class = DetectionSerializer
    filterset_class = DetectionFilter
    orderings = {
        "-created_at": ("-created_at", "-id"),
        "created_at": ("created_at", "id"),
        "-confidence_score": ("-confidence_score", "id"),
        "confidence_score": ("confidence_score", "-id"),
        **NEWEST_FIRST,
    }

    def get_object(self) -> Detection:
        row: Detection = super().get_object()
        visibility.veil([row], self.request.user)
        return row

    def paginate_queryset(self, queryset: Any) -> list[Any] | None:
        rows: list[Any] | None = super().paginate_queryset(queryset)
        visibility.veil(rows or [], self.request.user)
        return rows
