"""Alerts and their feed, for clients."""

from __future__ import annotations

from datetime import datetime

import orjson
from django.core.exceptions import ValidationError as FormError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.http import quote_etag
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.cursors import CursorRefused
from catalog.failures import NotPossible
from catalog.json_classes import schema_of
from catalog.models import User
from catalog.people.actors import actor_of
from catalog.web.filters import AT, CONE, FROM_TO, NOT_FOUND, ONE_OF, ListFilter, TimeField
from catalog.web.related import leave_out_hidden
from catalog.web.rest.fields import RowKey
from catalog.web.rest.narrowing import refusal_of
from catalog.web.rest.paging import CURSOR, MOST, OLDEST_CHANGE_FIRST, PAGE_SIZE, page_size_of
from catalog.web.rest.permissions import require
from catalog.web.rest.problems import Problem
from catalog.web.rest.rendering import Json
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.tables import as_json_bytes
from catalog.web.rest.throttling import is_repeat
from catalog.web.rest.views import RowViewSet, StrictAPIView, person_of, tags_known
from curation.alerts.criteria import Criteria
from curation.alerts.facts import RetractedFacts
from curation.alerts.feed import ENTRY, Entry, FeedPage, OtherNumbering, cursor_after, end_of_feed, feed_page
from curation.alerts.filters import AlertFilter
from curation.alerts.forms import FeedForm
from curation.alerts.publishing import AlertPayload, acknowledge, note_pulled
from curation.detections.api import EXPAND, ExpandedField, cover, parts_asked
from curation.detections.expanded import expanded_of
from curation.injected.given import found_by_key
from curation.judgements import visibility
from curation.models import Alert, AlertPriority, AlertPublication, AlertStatus, AlertType
from detection.models import DetectionType

LONGEST_WAIT_SECONDS = 60
# What the server in front reads and takes away: hold this answer for so many seconds, go on from this cursor.
HOLD, FOLLOW = "X-Astrid-Hold", "X-Astrid-Follow"
# And that it need not wait for news before it asks again.
MORE = "X-Astrid-More"
_BLIND = (
    "The feed tells what people judged, and this account judges blind: follow it with an account that does not judge."
)
_SINCE = OpenApiParameter(
    "since", CURSOR, description="`next_since` of an earlier response; empty or missing: from the start."
)
_FROM = OpenApiParameter(
    "published_from", OpenApiTypes.DATETIME,
    description="Instead of `since`: from this time on, UTC if no time zone is given.",
)  # fmt: skip
_START = OpenApiParameter(
    "start", {"type": "string", "enum": ["beginning", "now"]},
    description="Instead of `since`: from the beginning, or what is published from now on.",
)  # fmt: skip
_OF_THESE = "Only of these, with commas between."
_NARROWED = [
    *(
        OpenApiParameter(name, {"type": "array", "items": {"type": "string", "enum": [*words]}}, explode=False,
                         description=_OF_THESE)
        for name, words in (
            ("kind", AlertType.values), ("priority", AlertPriority.values), ("detection_type", DetectionType.values),
        )
    ),
    OpenApiParameter("label", OpenApiTypes.STR, description=_OF_THESE),
    OpenApiParameter("basis", {"type": "string", "enum": ["human"]}, description="Only what people judged."),
    OpenApiParameter("cone", CONE, description="`ra,dec,radius_arcsec`, of the source as it was told."),
    OpenApiParameter("score_min", {"type": "number", "minimum": 0, "maximum": 1}),
    OpenApiParameter("snr_min", {"type": "number", "minimum": 0, "maximum": 1e6}, description="Of either sign."),
    OpenApiParameter("mag_max", {"type": "number", "minimum": -30, "maximum": 40}, description="The faintest."),
    OpenApiParameter(
        "filter", OpenApiTypes.UUID, description="Key of a saved filter that asks for what alerts tell."
    ),
]  # fmt: skip
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
        fields: tuple[str, ...] = (
            "id", "number", "created_at", "updated_at", "detection", "alert_type", "priority", "title", "message",
            "alert_metadata", "status", "is_published", "sent_at", "delivery_attempts", "error_message",
        )  # fmt: skip


class AlertDetailSerializer(AlertSerializer):
    expanded = ExpandedField(
        allow_null=True, read_only=True, help_text="What `expand` asks for of its detection, as it is now, else null."
    )

    class Meta(AlertSerializer.Meta):
        fields = (*AlertSerializer.Meta.fields, "expanded")


@extend_schema_view(retrieve=extend_schema(responses=AlertDetailSerializer, parameters=[EXPAND]))
class AlertViewSet(RowViewSet):
    """What was reported, and how far each alert has come."""

    resource = "alerts"
    queryset = Alert.objects.all()
    serializer_class = AlertSerializer
    filterset_class = AlertFilter
    orderings = {
        "-created_at": ("-created_at", "-id"), "created_at": ("created_at", "id"), **OLDEST_CHANGE_FIRST,
    }  # fmt: skip
    json_columns = ("alert_metadata",)

    def get_queryset(self) -> QuerySet[Alert]:
        return visibility.alerts_for(self.request.user)

    def get_serializer_class(self) -> type[AlertSerializer]:
        return AlertDetailSerializer if self.action == "retrieve" else AlertSerializer

    def parameters(self) -> frozenset[str]:
        return super().parameters() | ({"expand"} if self.action == "retrieve" else set())

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Return one alert, with what else is asked for about its detection, as it is now."""
        parts = parts_asked(request)
        if not parts:
            return super().retrieve(request, *args, **kwargs)
        require(request, "detections:read")
        row = self.get_object()
        detection = found_by_key(request.user).filter(pk=row.detection_id).first()
        if detection is not None:
            leave_out_hidden([detection], request.user)
            cover([detection], request.user)
            row.expanded = expanded_of(detection, person_of(request), parts)
        return Response(self.get_serializer(row).data)

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
        fields = tuple(ENTRY)


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
    json_columns = ("payload",)

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
    latest = serializers.IntegerField(
        help_text="`sequence` of the last publication that there is for you; 0 while there is none."
    )
    lag = serializers.IntegerField(help_text="How many publications come after this page.")


class AlertFeedView(StrictAPIView):
    """What was published, in order, from any point in the past: read on from `next_since`, and nothing is missed.

    A `since` of another numbering, as after a restored backup, is 409 with the code `other_numbering`.
    """

    resource = "alerts"
    renderer_classes = (Json,)

    def parameters(self) -> frozenset[str]:
        return frozenset({"since", "published_from", "start", "page_size", "wait", *FeedForm.base_fields})

    @extend_schema(
        operation_id="alerts_feed",
        responses=FeedSerializer,
        parameters=[
            _SINCE,
            _FROM,
            _START,
            *_NARROWED,
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
        # Who waits for what comes from now on waits for what comes after the first answer, not the last one.
        begun = request.headers.get("Last-Event-ID", "") if is_repeat(request) else ""
        page = _pull(request, request.query_params.get("since", ""), begun)
        # Nothing that was published changes: what lies between two cursors is told by the second.
        etag = quote_etag(f"{page.numbering}-{len(page.rows)}-{page.latest}-{page.next_since}")
        if etag in tags_known(request):
            response = Response(status=304)
        else:
            rows = [_entry_json(row) for row in page.rows]
            told = {"next_since": page.next_since, "numbering": page.numbering, "latest": page.latest, "lag": page.lag}
            response = Response({"results": rows, **told})
        response["ETag"] = etag
        # Where others are left to look at, a reader who narrows the feed reads on at once.
        if wait and not page.rows and not page.lag:
            response[HOLD], response[FOLLOW] = str(wait), page.next_since
        return response


class AlertStreamView(StrictAPIView):
    """The feed as server-sent events, which come as they are published."""

    resource = "alerts"
    renderer_classes = (Json,)
    cache_control = "no-store"

    def parameters(self) -> frozenset[str]:
        return frozenset({"since", "published_from", "start", "page_size", *FeedForm.base_fields})

    @extend_schema(
        operation_id="alerts_stream",
        responses={(200, "text/event-stream"): OpenApiTypes.STR},
        parameters=[
            _SINCE,
            _FROM,
            _START,
            *_NARROWED,
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
        if page.lag and not page.rows:
            response[MORE] = str(page.lag)
        return response


def _pull(request: Request, since: str, last_event: str = "") -> FeedPage:
    """Return a page of the feed; those that go out for the first time are `sent` from now on."""
    user = person_of(request)
    if visibility.is_blind(user):
        # To leave out what may not be seen yet would break the promise that nothing is missed.
        raise Problem(403, "judges_blind", _BLIND)
    try:
        page = _page(request, since, last_event, user)
    except OtherNumbering as refusal:
        raise Problem(409, "other_numbering", str(refusal)) from refusal
    except CursorRefused as refusal:
        raise ValidationError({"since": [str(refusal)]}, NOT_FOUND) from refusal
    first = [row.alert for row in page.rows if row.status == AlertStatus.PENDING]
    if first:
        note_pulled(first, actor_of(request._request))
    return page


def _page(request: Request, since: str, last_event: str, user: User) -> FeedPage:
    size, wanted = page_size_of(request), _wanted(request, user)
    if last_event:
        return feed_page(last_event, size, user, wanted=wanted)
    moment, start = _published_from(request), _start_of(request)
    if sum(1 for given in (since, moment, start) if given) > 1:
        raise ValidationError({"since": ["Give one of `since`, `published_from` and `start`."]})
    begin = end_of_feed(user) if start == "now" else since
    return feed_page(begin, size, user, published_from=moment, wanted=wanted)


def _wanted(request: Request, user: User) -> Criteria | None:
    if not FeedForm.base_fields.keys() & request.query_params.keys():
        return None  # As nearly every request.
    form = FeedForm(request.query_params, user)
    if not form.is_valid():
        raise refusal_of(form.errors)
    return form.criteria


def _start_of(request: Request) -> str | None:
    text = request.query_params.get("start")
    if text not in (None, "beginning", "now"):
        raise ValidationError({"start": ["Give beginning or now."]})
    return text


def _entry_json(row: Entry) -> dict[str, object]:
    """Return a publication as it is answered, by the shortest way: readers take them by the thousand."""
    return {
        "sequence": row.sequence,
        "alert": row.alert,
        "version": row.version,
        "kind": row.kind,
        "published_at": row.published_at,
        "payload": orjson.Fragment(row.payload),
    }


def _event(row: Entry) -> str:
    return f"id: {cursor_after(row)}\ndata: {as_json_bytes(_entry_json(row)).decode()}\n\n"


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
