"""Astronomical objects, for clients."""

from __future__ import annotations

from catalog.web.rest.paging import NEWEST_FIRST
from catalog.web.rest.views import RowSerializer, RowViewSet
from detection.models import Source
from detection.sources.filters import SourceFilter


class SourceSerializer(RowSerializer):
    class Meta:
        model = Source
        exclude = ("healpix",)


class SourceViewSet(RowViewSet):
    """Astronomical objects, each with the mean position of its detections."""

    resource = "sources"
    queryset = Source.objects.all()
    serializer_class = SourceSerializer
    filterset_class = SourceFilter
    orderings = {
        "-last_detected_at": ("-last_detected_at", "id"),
        "last_detected_at": ("last_detected_at", "-id"),
        **NEWEST_FIRST,
    }
