"""Alerts and their feed, for clients."""

from __future__ import annotations

import json
from datetime import datetime

from django.core.exceptions import ValidationError as FormError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from catalog.cursors import CursorRefused
from catalog.failures import NotPossible
from catalog.json_classes import schema_of
from catalog.people.actors import actor_of
from catalog.web.filters import AT, FROM_TO, ONE_OF, ListFilter, TimeField
from catalog.web.rest.fields import RowKey
from catalog.web.rest.paging import MOST, PAGE_SIZE, page_size_of
from catalog.web.rest.problems import Problem
from catalog.web.rest.views import RowSerializer, RowViewSet, StrictAPIView, person_of, tags_known
from curation.alerts.facts import RetractedFacts
from curation.alerts.feed import FeedPage, OtherNumbering, cursor_after, feed_page
from curation.alerts.filters import AlertFilter
from curation.alerts.publishing import AlertPayload, acknowledge, note_pulled
from curation.judgements import visibility
from curation.models import Alert, AlertPublication, AlertStatus

LONGEST_WAIT_SECONDS = 60
# What the server in front reads and takes away: hold this answer for so many seconds, go on from this cursor.
HOLD, FOLLOW = "X-Astrid-Hold", "X-Astrid-Follow"
_BLIND = (
    "The feed tells what people judged, and this account judges blind: follow it with an account that does not judge."
)
_SINCE = OpenApiParameter(
    "since", OpenApiTypes.STR, description="`next_since` of an earlier response; empty or missing: from the start."
)
_FROM = OpenApiParameter(
    "published_from", OpenApiTypes.DATETIME,
    description="Instead of `since`: from this time on, UTC if no time zone is given.",
)  # fmt: skip
_PAGE_SIZE = OpenApiParameter(
    "page_size", {"type": "integer", "minimum": 1, "maximum": MOST}, description=f"{PAGE_SIZE} by default."
)
# What was written by former versions may lack keys, and what others wrote may be of other types.
FACTS = schema_of(RetractedFacts)
PAYLOAD = schema_of(AlertPayload) | {"description": "Frozen when it was published."}


@extend_schema_field(FACTS)
class FactsField(serializers.JSONField):
    """`AlertFacts`, as they were written."""


@extend_schema_field(PAYLOAD)
class PayloadField(serializers.JSONField):
    """`AlertPayload`, as it was published."""


class AlertSerializer(RowSerializer):
    alert_metadata = FactsField()

    class Meta:
        model = Alert
        fields = (
            "id", "number", "created_at", "updated_at", "detection", "alert_type", "priority", "title", "message",
            "alert_metadata", "status", "is_published", "sent_at", "delivery_attempts", "error_message",
        )  # fmt: skip


class AlertViewSet(RowViewSet):
    """What was reported, and how far each alert has come."""

    resource = "alerts"
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    orderings = {"-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id")}

    def get_queryset(self) -> QuerySet[Alert]:
        return visibility.alerts_for(self.request.user)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def acknowledge(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Acknowledge an alert: it becomes `delivered`. Repeating this changes nothing."""
        try:
            row = acknowledge(self.get_object(), actor_of(request._request))
        except NotPossible as refusal:
            raise Problem(409, "not_possible", str(refusal)) from refusal
        return Response(self.get_serializer(row).data)


class EntrySerializer(RowSerializer):
    """One publication."""

    payload = PayloadField()

    class Meta:
        model = AlertPublication
        fields = ("sequence", "alert", "version", "kind", "published_at", "payload")


class PublicationSerializer(RowSerializer):
    payload = PayloadField()

    class Meta:
        model = AlertPublication
        fields = "__all__"


class PublicationFilter(ListFilter):
    class Meta:
        model = AlertPublication
        fields = {"alert": AT, "kind": ONE_OF, "sequence": FROM_TO}


class PublicationViewSet(RowViewSet):
    """What was published, each with its place in the feed."""

    resource = "publications"
    queryset = AlertPublication.objects.all()
    serializer_class = PublicationSerializer
    filterset_class = PublicationFilter

    def get_queryset(self) -> QuerySet[AlertPublication]:
        rows: QuerySet[AlertPublication] = super().get_queryset()
        return rows.filter(alert__in=visibility.alerts_for(self.request.user))


class FeedSerializer(serializers.Serializer[FeedPage]):
    results = EntrySerializer(many=True)
    next_since = serializers.CharField(help_text="Send this as `since` for what comes after.")
    numbering = RowKey(
        "publications",
        allow_null=True,
        help_text="Key of the first publication: if it differs, this is another feed. Null while there is none.",
    )


class AlertFeedView(StrictAPIView):
    """What was published, in order, from any point in the past: read on from `next_since`, and nothing is missed.

    A `since` of another numbering, as after a restored backup, is 409 with the code `other_numbering`.
    """

    resource = "alerts"
    renderer_classes = (JSONRenderer,)

    def parameters(self) -> frozenset[str]:
        return frozenset({"since", "published_from", "page_size", "wait"})

    @extend_schema(
        operation_id="alerts_feed",
        responses=FeedSerializer,
        parameters=[
            _SINCE,
            _FROM,
            _PAGE_SIZE,
            OpenApiParameter(
                "wait", {"type": "integer", "minimum": 0, "maximum": LONGEST_WAIT_SECONDS},
                description="Seconds to wait if there is nothing new yet.",
            ),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return what was published after a cursor, the oldest first."""
        wait = _wait_of(request)
        page = _pull(request, request.query_params.get("since", ""))
        # Nothing that was published changes: what lies between two cursors is told by the second.
        etag = quote_etag(f"{page.numbering}-{len(page.rows)}-{page.next_since}")
        if etag in tags_known(request):
            response = Response(status=304)
        else:
            rows = [publication_json(row) for row in page.rows]
            response = Response({"results": rows, "next_since": page.next_since, "numbering": page.numbering})
        response["ETag"] = etag
        if wait and not page.rows:
            response[HOLD] = str(wait)
        return response


class AlertStreamView(StrictAPIView):
    """The feed as server-sent events, which come as they are published."""

    resource = "alerts"
    renderer_classes = (JSONRenderer,)
    cache_control = "no-store"

    def parameters(self) -> frozenset[str]:
        return frozenset({"since", "published_from", "page_size"})

    @extend_schema(
        operation_id="alerts_stream",
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
        parameters=[
            _SINCE,
            _FROM,
            _PAGE_SIZE,
            OpenApiParameter(
                "Last-Event-ID", OpenApiTypes.STR, OpenApiParameter.HEADER,
                description="`id` of the last event received; takes precedence over `since` and `published_from`.",
            ),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> HttpResponse:
        """Follow the feed: each event's `id` is the cursor after it, its `data` one publication."""
        page = _pull(request, request.query_params.get("since", ""), request.headers.get("Last-Event-ID", ""))
        response = HttpResponse("".join(map(_event, page.rows)), content_type="text/event-stream; charset=utf-8")
        response[FOLLOW] = page.next_since
        return response


def _pull(request: Request, since: str, last_event: str = "") -> FeedPage:
    """Return a page of the feed; those that go out for the first time are `sent` from now on."""
    user = person_of(request)
    if visibility.is_blind(user):
        # To leave out what may not be seen yet would break the promise that nothing is missed.
        raise Problem(403, "judges_blind", _BLIND)
    moment = None if last_event else _published_from(request)
    if since and moment is not None:
        raise ValidationError({"published_from": ["Give either this or `since`."]})
    try:
        page = feed_page(last_event or since, page_size_of(request), user, published_from=moment)
    except OtherNumbering as refusal:
        raise Problem(409, "other_numbering", str(refusal)) from refusal
    except CursorRefused as refusal:
        raise ValidationError({"since": [str(refusal)]}) from refusal
    first = [row.alert_id for row in page.rows if row.alert.status == AlertStatus.PENDING]
    if first:
        note_pulled(first, actor_of(request._request))
    return page


def publication_json(row: AlertPublication) -> dict[str, object]:
    """Return a publication as it is answered, by the shortest way: readers take them by the thousand."""
    return {
        "sequence": row.sequence,
        "alert": row.alert_id,
        "version": row.version,
        "kind": row.kind,
        "published_at": row.published_at,
        "payload": row.payload,
    }


def _event(row: AlertPublication) -> str:
    return f"id: {cursor_after(row)}\ndata: {json.dumps(publication_json(row), cls=JSONEncoder)}\n\n"


def _published_from(request: Request) -> datetime | None:
    text = request.query_params.get("published_from")
    if text is None:
        return None
    try:
        return TimeField().clean(text)
    except FormError as error:
        raise ValidationError({"published_from": list(error.messages)}) from error


def _wait_of(request: Request) -> int:
    text = request.query_params.get("wait", "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 2 and int(text) <= LONGEST_WAIT_SECONDS):
        raise ValidationError({"wait": [f"Give whole seconds from 0 to {LONGEST_WAIT_SECONDS}."]})
    return int(text)
