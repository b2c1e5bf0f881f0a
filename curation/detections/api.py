"""Detections, for clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.json_classes import schema_of
from catalog.models import Visitor
from catalog.web.rest.cone_search import ConeSearchView
from catalog.web.rest.files import FITS
from catalog.web.rest.paging import NEWEST_FIRST, OLDEST_CHANGE_FIRST
from catalog.web.rest.permissions import require
from catalog.web.rest.problems import Problem
from catalog.web.rest.rendering import Json
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet, StrictAPIView, person_of
from curation.detections.cutouts import CUTOUTS, cutout_of
from curation.detections.expanded import SCOPES, ExpandedFacts, Part, expanded_of
from curation.detections.filters import DetectionFilter
from curation.detections.told import EPOCHS, MOST_EPOCHS, LightCurveFacts, light_curve_shown
from curation.injected.given import found_by_key
from curation.injected.rows import as_found
from curation.judgements import unmarked, visibility
from detection.cutouts.pictures import version_of
from detection.models import Detection

EXPAND = OpenApiParameter(
    "expand", {"type": "array", "items": {"type": "string", "enum": ["all", *Part]}}, explode=False,
    description="What else is told, with commas between; for JSON only.",
)  # fmt: skip
_SCORE = "1 = real, 0 = bogus; of `model_version`. Null until you have answered, where hidden ones are mixed in."


class DetectionSerializer(RowSerializer):
    class Meta:
        model = Detection
        # How unusual one is, and what other versions say, `candidate-scores` tells whoever may know it.
        exclude = ("healpix", "drawn_score", "queue_score", "is_injected", "anomaly", "disagreement")
        extra_kwargs: ClassVar = {"confidence_score": {"allow_null": True, "help_text": _SCORE}}


class LightCurveView(StrictAPIView):
    """The light curve of a source."""

    resource = "sources"
    renderer_classes = (Json,)

    def parameters(self) -> frozenset[str]:
        return frozenset({"last"})

    @extend_schema(
        operation_id="sources_light_curve",
        responses=OpenApiResponse(schema_of(LightCurveFacts)),
        parameters=[
            OpenApiParameter(
                "last", {"type": "integer", "minimum": 1, "maximum": MOST_EPOCHS},
                description=f"So many epochs, the latest; {EPOCHS} by default.",
            )
        ],
    )  # fmt: skip
    def get(self, request: Request, id: UUID) -> Response:  # noqa: A002
        """Return every frame in which it was detected or measured, with fluxes, magnitudes and limits."""
        text = request.query_params.get("last", str(EPOCHS))
        if not (text.isascii() and text.isdecimal() and len(text) <= 6 and 1 <= int(text) <= MOST_EPOCHS):
            raise ValidationError({"last": [f"Give a whole number from 1 to {MOST_EPOCHS}."]})
        found = light_curve_shown(person_of(request), id, int(text))
        if found is None:
            raise Http404
        return Response(found)


@extend_schema_field(schema_of(ExpandedFacts))
class ExpandedField(serializers.Field[object, object, object, object]):
    """`ExpandedFacts`, of the parts that were asked for."""

    def get_attribute(self, instance: object) -> object:
        return getattr(instance, "expanded", None)

    def to_representation(self, value: object) -> object:
        return value


class DetectionDetailSerializer(DetectionSerializer):
    expanded = ExpandedField(allow_null=True, read_only=True, help_text="What `expand` asks for, else null.")


@extend_schema_view(retrieve=extend_schema(responses=DetectionDetailSerializer, parameters=[EXPAND]))
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

    def get_serializer_class(self) -> type[DetectionSerializer]:
        return DetectionDetailSerializer if self.action == "retrieve" else DetectionSerializer

    def get_queryset(self) -> QuerySet[Detection]:
        """Return what lists hold; by its key, also what the person was given to review."""
        rows: QuerySet[Detection] = super().get_queryset()
        return rows if self.action in ("list", "export") else found_by_key(self.request.user)

    def parameters(self) -> frozenset[str]:
        return super().parameters() | ({"expand"} if self.action == "retrieve" else set())

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Return one row, with what else is asked for."""
        parts = parts_asked(request)
        if not parts:
            return super().retrieve(request, *args, **kwargs)
        row = self.get_object()
        row.expanded = expanded_of(row, person_of(request), parts)
        # It changes with what is told beside the row: by its content.
        return Response(self.get_serializer(row).data)

    @extend_schema(
        responses={(200, FITS): OpenApiTypes.BINARY, (200, "image/png"): OpenApiTypes.BINARY},
        parameters=[OpenApiParameter("name", OpenApiTypes.STR, OpenApiParameter.PATH, enum=CUTOUTS)],
    )
    @action(detail=True, url_path="files/<str:name>", url_name="file")
    def file(self, request: Request, name: str, **_: object) -> HttpResponseBase:
        """Return an image around it as FITS, with its WCS and gzipped, or as a picture; `cutouts.png` is all three."""
        row: Detection = self.get_object()
        if name not in CUTOUTS:
            raise Problem(404, "no_such_file", f"There is no file {name}. There are: {', '.join(CUTOUTS)}.")
        version = version_of(row.cutouts_path)
        content = cutout_of(row, name) if version else None
        if version is None or content is None:
            raise Problem(410, "file_gone", "These cutouts are not there any more.")
        kind = "image/png" if name.endswith(".png") else FITS
        answer = HttpResponse(content, content_type=kind)
        answer["Content-Disposition"] = f'attachment; filename="{row.pk}-{name}"'
        answer["ETag"] = quote_etag(f"{version}-{name}")
        answer["Cache-Control"] = "private, no-cache"
        return answer

    def cover(self, rows: Sequence[Detection]) -> None:
        cover(rows, self.request.user)


class NearDetectionSerializer(DetectionSerializer):
    mjd_utc = serializers.FloatField(source="observation.mjd_utc", help_text="Middle of the exposure.")
    filter_band = serializers.CharField(source="observation.filter_band")


@extend_schema(exclude=True)
class DetectionConeSearch(ConeSearchView[Detection]):
    """Detections: what a model scored as real in single frames, with how people judged it."""

    resource = "detections"
    serializer_class = NearDetectionSerializer
    main = (
        "id", "ra", "dec", "mjd_utc", "filter_band", "confidence_score", "detection_type", "status", "human_label",
        "urgency", "source", "observation",
    )  # fmt: skip

    def near(self, ra_deg: float, dec_deg: float, radius_deg: float) -> QuerySet[Detection]:
        """Return detections with the time and the band of their frames."""
        cone = ra_deg, dec_deg, 3600.0 * radius_deg
        rows: QuerySet[Detection] = Detection.objects.visible_to(self.request.user).within([cone])
        own = [field.attname for field in Detection._meta.concrete_fields]
        return rows.select_related("observation").only(*own, "observation__mjd_utc", "observation__filter_band")

    def cover(self, rows: Sequence[Detection]) -> None:
        cover(rows, self.request.user)


def cover(rows: Sequence[Detection], user: Visitor) -> None:
    """Take out of detections, which are shown and never saved, what this person may not know."""
    as_found(rows)
    visibility.veil(rows, user)
    for row in rows:
        if unmarked.is_covered(row):
            row.source = None  # What was drawn has none, and what waits beside it shows none either.


def parts_asked(request: Request) -> list[Part]:
    """Return what `expand` names, of a detection or an alert.

    Raises ValidationError, and Problem where the token does not include it.
    """
    names = [name for name in request.query_params.get("expand", "").split(",") if name]
    known = {part.value for part in Part}
    if unknown := sorted({*names} - known - {"all"}):
        raise ValidationError({"expand": [f"There is no {', '.join(unknown)}. There are: all, {', '.join(Part)}."]})
    if names and request.query_params.get("format", "json") != "json":
        raise ValidationError({"expand": ["Tables hold rows alone: ask for JSON."]})
    parts = list(Part) if "all" in names else [Part(name) for name in dict.fromkeys(names)]
    for scope in dict.fromkeys(scope for part in parts for scope in SCOPES[part]):
        require(request, scope)
    return parts
