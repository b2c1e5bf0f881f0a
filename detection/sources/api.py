"""Astronomical objects and how bright their places were, for clients."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.cone_search import ConeSearchView
from catalog.web.rest.paging import NEWEST_FIRST, OLDEST_CHANGE_FIRST
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet
from detection.models import ForcedPhotometry, Source
from detection.shown import as_shown
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
        **OLDEST_CHANGE_FIRST,
        **NEWEST_FIRST,
    }

    def cover(self, rows: Sequence[Source]) -> None:
        as_shown(rows, self.request.user)


@extend_schema(exclude=True)
class SourceConeSearch(ConeSearchView[Source]):
    """Sources: astronomical objects, each with the mean position of its detections."""

    resource = "sources"
    serializer_class = SourceSerializer
    main = (
        "id", "ra", "dec", "position_error_arcsec", "name", "detection_count", "first_detected_at", "last_detected_at",
        "wcs_quality",
    )  # fmt: skip

    def cover(self, rows: Sequence[Source]) -> None:
        as_shown(rows, self.request.user)

    def near(self, ra_deg: float, dec_deg: float, radius_deg: float) -> QuerySet[Source]:
        """Return sources by their mean position."""
        cone = ra_deg, dec_deg, 3600.0 * radius_deg
        rows: QuerySet[Source] = Source.objects.visible_to(self.request.user).within([cone])
        return rows


class ForcedPhotometrySerializer(RowSerializer):
    snr = serializers.FloatField(allow_null=True, help_text="Flux over its error.")
    flux_njy = serializers.FloatField(allow_null=True, help_text="Nanojanskys; only against an AB catalogue.")
    flux_error_njy = serializers.FloatField(allow_null=True, help_text="Nanojanskys, without the zero point's error.")
    limiting_mag = serializers.FloatField(allow_null=True, help_text="The limit as a magnitude.")
    reference_version = serializers.IntegerField(source="reference.version", help_text="Of the reference.")

    class Meta:
        model = ForcedPhotometry
        fields = "__all__"


class ForcedPhotometryFilter(ListFilter):
    class Meta:
        model = ForcedPhotometry
        fields = {
            "source": ONE_OF, "tracklet": AT, "observation": AT, "difference_run": AT, "reference": AT,
            "reason": ONE_OF, "mjd_utc": FROM_TO, "created_at": FROM_TO, "updated_at": FROM_TO,
        }  # fmt: skip


class ForcedPhotometryViewSet(RowViewSet):
    """Flux beyond the reference at places that were known before, whether or not anything stands out there."""

    resource = "forced-photometry"
    queryset = ForcedPhotometry.objects.select_related("reference")
    serializer_class = ForcedPhotometrySerializer
    filterset_class = ForcedPhotometryFilter
