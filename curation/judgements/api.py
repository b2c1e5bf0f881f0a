"""Judgements, alerts and their feed, for clients."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.utils.http import parse_etags
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from catalog.people.actors import actor_of
from catalog.web.rest.fields import Choice, Flag, Input, Key, Number, Text
from catalog.web.rest.filters import AT, FROM_TO, ONE_OF, ListFilter
from catalog.web.rest.paging import MOST, PAGE_SIZE, page_size_of
from catalog.web.rest.problems import Problem
from catalog.web.rest.views import Rows, RowSerializer, Strict
from curation.alerts.publishing import NotPossible, acknowledge, note_pulled
from curation.judgements.verdicts import (
    CursorRefused,
    EventRefused,
    Judgement,
    OtherEvent,
    conflicts_of,
    cursor_at,
    feed_page,
    record_validation,
)
from curation.models import (
    Alert,
    AlertPublication,
    AlertStatus,
    ConfidenceLevel,
    EventKind,
    Quality,
    ValidationEvent,
)
from detection.models import Detection

LONGEST_WAIT_SECONDS = 60
# What the server in front reads and takes away: hold this answer for so many seconds, go on from this cursor.
HOLD, FOLLOW = "X-Astrid-Hold", "X-Astrid-Follow"
_SINCE = OpenApiParameter(
    "since", OpenApiTypes.STR, description="`next_since` of an earlier answer; empty or missing: from the beginning."
)
_PAGE_SIZE = OpenApiParameter(
    "page_size", {"type": "integer", "minimum": 1, "maximum": MOST}, description=f"{PAGE_SIZE} where it is not given."
)


class ValidationEventSerializer(RowSerializer):
    tags = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ValidationEvent
        exclude = ("visible_context",)


class JudgedSerializer(ValidationEventSerializer):
    """A judgement as it is kept."""

    conflicts = serializers.SerializerMethodField(
        help_text="Standing answers of others, where the detection was not any more what `If-Match` says."
    )

    @staticmethod
    def get_conflicts(event: ValidationEvent) -> list[dict[str, Any]]:
        return [dict(row) for row in ValidationEventSerializer(conflicts_of(event), many=True).data]


class JudgementSerializer(Input):
    """What one person says of a detection."""

    id = Key(help_text="Made by the client: sent again, it does nothing again.")
    detection = Key()
    kind = Choice(choices=EventKind.choices, default=EventKind.VERDICT)
    # Fields are no attributes of the form: its own members of these names stay what they are.
    is_valid = Flag(  # type: ignore[assignment]
        required=False, allow_null=True, default=None, help_text="Left out by a withdrawal alone."
    )
    label = Text(required=False, allow_blank=True, max_length=64, default="")  # type: ignore[assignment]
    confidence_level = Choice(choices=ConfidenceLevel.choices, default=ConfidenceLevel.MEDIUM)
    notes = Text(required=False, allow_blank=True, max_length=20_000, default="")
    tags = serializers.ListField(child=Text(max_length=64), required=False, max_length=100, default=list)
    image_quality = Choice(choices=Quality.choices, required=False, allow_blank=True, default="")
    detection_quality = Choice(choices=Quality.choices, required=False, allow_blank=True, default="")
    supersedes = Key(required=False, allow_null=True, default=None, help_text="One's own earlier event.")
    seconds_taken = Number(required=False, allow_null=True, default=None, min_value=0.0)


class ValidationEventFilter(ListFilter):
    class Meta:
        model = ValidationEvent
        fields = {
            "detection": AT, "validator": AT, "kind": AT, "is_valid": AT, "label": ONE_OF, "confidence_level": ONE_OF,
            "created_at": FROM_TO,
        }  # fmt: skip


class ValidationEvents(Rows):
    """What people say of detections; rows are only ever added."""

    resource = "validation-events"
    queryset = ValidationEvent.objects.all()
    serializer_class = ValidationEventSerializer
    filterset_class = ValidationEventFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

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
        """Judge a detection: 201; the same again 200; the same `id` with other words 422."""
        form: Any = JudgementSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        if not Detection.objects.visible_to(request.user).filter(pk=given["detection"]).exists():
            raise ValidationError({"detection": ["There is no such detection."]})
        given |= {"detection_id": given.pop("detection"), "supersedes_id": given.pop("supersedes")}
        judgement = Judgement(**{**given, "tags": tuple(given["tags"])})
        user: Any = request.user
        try:
            event, is_new = record_validation(judgement, user, actor_of(request._request), seen=_seen(request))
        except OtherEvent as other:
            raise Problem(422, "id_taken", str(other)) from other
        except EventRefused as refusal:
            raise Problem(400, "refused", str(refusal)) from refusal
        return Response(JudgedSerializer(event).data, status=201 if is_new else 200)


class AlertSerializer(RowSerializer):
    class Meta:
        model = Alert
        fields = "__all__"


class AlertFilter(ListFilter):
    class Meta:
        model = Alert
        fields = {
            "detection": AT, "alert_type": ONE_OF, "priority": ONE_OF, "status": ONE_OF, "is_published": AT,
            "created_at": FROM_TO,
        }  # fmt: skip


class Alerts(Rows):
    """What was made known, with how far each has come."""

    resource = "alerts"
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Say that one has an alert for good: `delivered`; a second time changes nothing."""
        try:
            row = acknowledge(self.get_object(), actor_of(request._request))
        except NotPossible as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        return Response(self.get_serializer(row).data)


class PublicationSerializer(RowSerializer):
    """What `_said` answers, for the document."""

    class Meta:
        model = AlertPublication
        fields = ("sequence", "alert", "version", "kind", "published_at", "payload")


class FeedSerializer(serializers.Serializer[Any]):
    results = PublicationSerializer(many=True)
    next_since = serializers.CharField(help_text="Send this as `since` for what comes after.")


class Feed(Strict):
    """What was published, in order, from any point in the past: read on from `next_since`, and nothing is missed."""

    resource = "alerts"
    renderer_classes = (JSONRenderer,)
    cache_control = "no-store"

    def parameters(self) -> frozenset[str]:
        return frozenset({"since", "page_size", "wait"})

    @extend_schema(
        operation_id="alerts_feed",
        responses=FeedSerializer,
        parameters=[
            _SINCE,
            _PAGE_SIZE,
            OpenApiParameter(
                "wait", {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS},
                description="Seconds to wait for something where there is nothing yet.",
            ),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return what was published after a cursor, the oldest first."""
        wait = _wait_of(request)
        rows, next_since = _pull(request, request.query_params.get("since", ""))
        response = Response({"results": [_said(row) for row in rows], "next_since": next_since})
        if wait and not rows:
            response[HOLD] = str(wait)
        return response


class Stream(Strict):
    """The feed as server-sent events, which come as they are published."""

    resource = "alerts"
    renderer_classes = (JSONRenderer,)
    cache_control = "no-store"

    def parameters(self) -> frozenset[str]:
        return frozenset({"since", "page_size"})

    @extend_schema(
        operation_id="alerts_stream",
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
        parameters=[
            _SINCE,
            _PAGE_SIZE,
            OpenApiParameter(
                "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER,
                description="`id` of the last event that came; stands above `since`.",
            ),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Follow the feed: each event's `id` is the cursor after it, its `data` one publication."""
        since = request.headers.get("Last-Event-ID", "") or request.query_params.get("since", "")
        rows, next_since = _pull(request, since)
        events = (f"id: {cursor_at(row.sequence)}\ndata: {json.dumps(_said(row), cls=JSONEncoder)}\n\n" for row in rows)
        response = HttpResponse("".join(events), content_type="text/event-stream; charset=utf-8")
        response[FOLLOW] = next_since
        return response


def _pull(request: Request, since: str) -> tuple[list[AlertPublication], str]:
    """Return a page of the feed; those that go out for the first time are `sent` from now on."""
    user: Any = request.user
    try:
        rows, next_since = feed_page(since, page_size_of(request), user)
    except CursorRefused as refusal:
        raise ValidationError({"since": [str(refusal)]}) from refusal
    first = [row.alert_id for row in rows if row.alert_status == AlertStatus.PENDING]  # type: ignore[attr-defined]
    if first:
        note_pulled(first, actor_of(request._request))
    return rows, next_since


def _said(row: AlertPublication) -> dict[str, Any]:
    """Return a publication as it is answered, by the shortest way: readers take them by the thousand."""
    return {
        "sequence": row.sequence,
        "alert": row.alert_id,
        "version": row.version,
        "kind": row.kind,
        "published_at": row.published_at,
        "payload": row.payload,
    }


def _wait_of(request: Request) -> int:
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) <= LONGEST_WAIT_SECONDS):
        raise ValidationError({"wait": [f"Give whole seconds from 0 to {LONGEST_WAIT_SECONDS}."]})
    return int(text)


def _seen(request: Request) -> list[str]:
    """Return the revisions that `If-Match` names; none where it names no one."""
    tags = parse_etags(request.headers.get("If-Match", ""))
    return [tag.removeprefix("W/").strip('"').partition("-")[0] for tag in tags if tag != "*"]
