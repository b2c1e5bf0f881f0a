"""Judgements, for clients."""

from __future__ import annotations

from typing import Any

from django.db.models import Model, QuerySet
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.people.actors import actor_of
from catalog.web.filters import AT, FROM_TO, NOT_FOUND, ONE_OF, ListFilter
from catalog.web.rest.fields import Choice, Flag, Input, Key, Number, Text
from catalog.web.rest.problems import Problem
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet, person_of
from curation.judgements import visibility
from curation.judgements.verdicts import EventRefused, Judgement, OtherEvent, conflicts_of, record_validation
from curation.models import ConfidenceLevel, EventKind, LabelDefinition, Quality, Shown, ValidationEvent
from detection.models import Detection


class UnblindViewSet(RowViewSet):
    """A list whose rows tell what others judged, such as that something was sent: it is empty for who judges blind."""

    def get_queryset(self) -> QuerySet[Model]:
        rows: QuerySet[Model] = super().get_queryset()
        return rows.none() if visibility.is_blind(person_of(self.request)) else rows


class ValidationEventSerializer(RowSerializer):
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ValidationEvent
        exclude = ("visible_context",)


class JudgedSerializer(ValidationEventSerializer):
    """A judgement as it is stored."""

    conflicts = serializers.SerializerMethodField(
        help_text="Standing answers of others, if the detection has changed since the `ETag` in `If-Match`."
    )

    @staticmethod
    @extend_schema_field(ValidationEventSerializer(many=True))
    def get_conflicts(event: ValidationEvent) -> list[dict[str, object]]:
        conflicts = visibility.others_for(event.validator, conflicts_of(event))
        return [dict(row) for row in ValidationEventSerializer(conflicts, many=True).data]


class JudgementSerializer(Input):
    """One person's judgement of a detection."""

    id = Key(help_text="Chosen by the client; sending it again has no further effect.")
    detection = Key()
    kind = Choice(choices=EventKind.choices, default=EventKind.VERDICT)
    # Fields are no attributes of the form: its own members of these names stay what they are.
    is_valid = Flag(  # type: ignore[assignment]
        required=False, allow_null=True, default=None, help_text="Omitted only by a withdrawal."
    )
    label = Text(required=False, allow_blank=True, max_length=64, default="")  # type: ignore[assignment]
    confidence_level = Choice(choices=ConfidenceLevel.choices, default=ConfidenceLevel.MEDIUM)
    notes = Text(required=False, allow_blank=True, max_length=20_000, default="")
    tags = serializers.ListField(child=Text(max_length=64), required=False, max_length=100, default=list)
    image_quality = Choice(choices=Quality.choices, required=False, allow_blank=True, default="")
    detection_quality = Choice(choices=Quality.choices, required=False, allow_blank=True, default="")
    supersedes = Key(required=False, allow_null=True, default=None, help_text="An earlier event of the same person.")
    seconds_taken = Number(required=False, allow_null=True, default=None, min_value=0.0)
    group = Key(
        required=False,
        allow_null=True,
        default=None,
        help_text="Common to the judgements of one object that one answer stands for; chosen by the client.",
    )
    shown = Choice(
        choices=Shown.choices, required=False, allow_blank=True, default="",
        help_text="How the detection was seen: large, in the strip of epochs, or unseen.",
    )  # fmt: skip


class ValidationEventFilter(ListFilter):
    class Meta:
        model = ValidationEvent
        fields = {
            "detection": AT, "validator": AT, "group": AT, "kind": AT, "is_valid": AT, "label": ONE_OF,
            "confidence_level": ONE_OF, "created_at": FROM_TO,
        }  # fmt: skip


class ValidationEventViewSet(RowViewSet):
    """Judgements of detections; rows are only ever added."""

    resource = "validation-events"
    queryset = ValidationEvent.objects.all()
    serializer_class = ValidationEventSerializer
    filterset_class = ValidationEventFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

    def get_queryset(self) -> QuerySet[ValidationEvent]:
        return visibility.judgements_for(self.request.user)

    @extend_schema(
        request=JudgementSerializer,
        responses={201: JudgedSerializer, 200: JudgedSerializer},
        parameters=[
            OpenApiParameter(
                "If-Match", OpenApiTypes.STR, OpenApiParameter.HEADER,
                description="`ETag` of the detection as the person saw it.",
            )
        ],
        filters=False,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """Judge a detection: 201; 200 if sent again; 422 if the same `id` has other content."""
        form: Any = JudgementSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        if not Detection.objects.visible_to(request.user).filter(pk=given["detection"]).exists():
            raise ValidationError({"detection": ["There is no such detection."]}, NOT_FOUND)
        given |= {"detection_id": given.pop("detection"), "supersedes_id": given.pop("supersedes")}
        judgement = Judgement(**{**given, "tags": tuple(given["tags"])})
        try:
            event, is_new = record_validation(
                judgement, person_of(request), actor_of(request._request), seen=_seen(request)
            )
        except OtherEvent as other:
            raise Problem(422, "id_taken", str(other)) from other
        except EventRefused as refusal:
            raise Problem(400, "refused", str(refusal)) from refusal
        return Response(JudgedSerializer(event).data, status=201 if is_new else 200)


class LabelSerializer(RowSerializer):
    class Meta:
        model = LabelDefinition
        fields = "__all__"


class LabelFilter(ListFilter):
    class Meta:
        model = LabelDefinition
        fields = {"label": AT, "detection_type": ONE_OF, "is_valid": AT, "is_active": AT}


class LabelViewSet(RowViewSet):
    """Labels that people may give, with what each means for a detection."""

    resource = "labels"
    queryset = LabelDefinition.objects.all()
    serializer_class = LabelSerializer
    filterset_class = LabelFilter


def _seen(request: Request) -> list[str]:
    """Return the revisions that `If-Match` names; none where it names no one."""
    tags = parse_etags(request.headers.get("If-Match", ""))
    return [tag.removeprefix("W/").strip('"').partition("-")[0] for tag in tags if tag != "*"]
