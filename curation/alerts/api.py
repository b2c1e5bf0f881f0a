"""Alerts and their feed, for clients."""

from __future__ import annotations

import json
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
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
from catalog.web.rest.paging import MOST, PAGE_SIZE, page_size_of
from catalog.web.rest.problems import Problem
from catalog.web.rest.views import RowSerializer, RowViewSet, StrictAPIView
from curation.alerts.feed import CursorRefused, cursor_at, feed_page
from curation.alerts.filters import AlertFilter
from curation.alerts.publishing import NotPossible, acknowledge, note_pulled
from curation.judgements import visibility
from curation.models import Alert, AlertPublication, AlertStatus

LONGEST_WAIT_SECONDS = 60
# What the server in front reads and takes away: hold this answer for so many seconds, go on from this cursor.
HOLD, FOLLOW = "X-Astrid-Hold", "X-Astrid-Follow"
_BLIND = (
    "The feed tells what people judged, and this account judges blind: follow it with an account that does not judge."
)
_SINCE = OpenApiParameter(
    "since", OpenApiTypes.STR, description="`next_since` of an earlier answer; empty or missing: from the beginning."
)
_PAGE_SIZE = OpenApiParameter(
    "page_size", {"type": "integer", "minimum": 1, "maximum": MOST}, description=f"{PAGE_SIZE} where it is not given."
)


class AlertSerializer(RowSerializer):
    class Meta:
        model = Alert
        fields = "__all__"


class AlertViewSet(RowViewSet):
    """What was made known, with how far each has come."""

    resource = "alerts"
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

    def get_queryset(self) -> QuerySet[Alert]:
        return visibility.alerts_for(self.request.user)

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


class AlertFeedView(StrictAPIView):
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


class AlertStreamView(StrictAPIView):
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
    if visibility.is_blind(user):
        # To leave out what may not be seen yet would break the promise that nothing is missed.
        raise Problem(403, "judges_blind", _BLIND)
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
