"""Packets for clients: one of an alert in any form, the list of all, and the archives of nights."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
from collections.abc import Collection
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import quote_etag, urlencode
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.people.actors import actor_of
from catalog.web.filters import AT, FROM_TO, ListFilter
from catalog.web.rest.problems import Problem
from catalog.web.rest.rendering import Json
from catalog.web.rest.resources import address
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.views import RowViewSet, StrictAPIView, person_of, tags_known
from catalog.web.streamed import Streamed, beyond_end, partial_headers, range_of
from curation.alerts.publishing import note_pulled
from curation.judgements import visibility
from curation.models import Alert, AlertPacket, AlertPublication, AlertStatus
from curation.packets import avro
from curation.packets.archive import MOST_NIGHTS, Night, archives_of, nights
from curation.packets.forms import CUTOUTS, Cutouts, Form, NoCutout, document_of
from curation.packets.keeping import PacketLost, packet_of
from curation.packets.voevent import MEDIA_TYPE as VOEVENT

_BLIND = (
    "Packets tell what people judged, and this account judges blind: read them with an account that does not judge."
)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BINARY = OpenApiTypes.BINARY


class PacketSerializer(RowSerializer):
    class Meta:
        model = AlertPacket
        fields = (
            "id", "created_at", "updated_at", "publication", "night", "schema_version", "size_bytes", "sha256",
            "ivorn",
        )  # fmt: skip


class PacketFilter(ListFilter):
    class Meta:
        model = AlertPacket
        fields = {"publication": AT, "night": ["exact", "gte", "lte"], "created_at": FROM_TO}


class PacketViewSet(RowViewSet):
    """Which packets were written; what is in one is at `/alerts/{id}/packet/`."""

    resource = "packets"
    queryset = AlertPacket.objects.all()
    serializer_class = PacketSerializer
    filterset_class = PacketFilter

    def get_queryset(self) -> QuerySet[AlertPacket]:
        rows: QuerySet[AlertPacket] = super().get_queryset()
        return rows.filter(publication__alert__in=visibility.alerts_for(self.request.user))


class PacketView(StrictAPIView):
    """The packet of one alert: written once, soon after it was published, and never changed."""

    resource = "alerts"
    renderer_classes = (Json,)

    def parameters(self) -> frozenset[str]:
        return frozenset({"form", "cutouts", "part"})

    @extend_schema(
        operation_id="alerts_packet",
        responses={
            (200, avro.MEDIA_TYPE): _BINARY,
            (200, "application/json"): OpenApiResponse({"type": "object"}),
            (200, VOEVENT): OpenApiTypes.STR,
            (200, "application/gzip"): _BINARY,
        },
        parameters=[
            OpenApiParameter("form", enum=list(Form), description="`avro` by default; `fits` is one cutout."),
            OpenApiParameter("cutouts", enum=list(Cutouts), description="Of `form=json`: `embedded` by default."),
            OpenApiParameter("part", enum=list(CUTOUTS), description="Of `form=fits`, needed there: which cutout."),
        ],
    )
    def get(self, request: Request, alert_id: UUID) -> HttpResponseBase:
        """Return what was published of an alert as a file that needs nothing else."""
        form, cutouts, part = _asked(request)
        publication = _publication(request, alert_id)
        packet_at = address(request, "alerts-packet", alert_id)

        def image(name: str) -> str:
            return f"{packet_at}?{urlencode({'form': Form.FITS.value, 'part': name})}"

        try:
            packet = packet_of(publication)
            etag = quote_etag(f"{packet.sha256[:32]}-{form}-{cutouts}-{part}")
            if etag in tags_known(request):
                return HttpResponse(status=304, headers={"ETag": etag})
            document = document_of(packet, form, cutouts, part, image)
        except PacketLost as refusal:
            raise Problem(410, "packet_lost", str(refusal)) from refusal
        except NoCutout as refusal:
            raise Problem(404, "not_found", str(refusal)) from refusal
        _note(request, [alert_id])
        answer = HttpResponse(document.content, content_type=document.media_type)
        answer["Content-Disposition"] = f'attachment; filename="{document.name}"'
        answer["ETag"] = etag
        return answer


class NightSerializer(serializers.Serializer[Night]):
    """The packets of one night."""

    night = serializers.DateField()
    schema_version = serializers.CharField()
    packets = serializers.IntegerField()
    size_bytes = serializers.IntegerField()
    url = serializers.URLField(help_text="Of the archive.")


class NightsSerializer(serializers.Serializer[Night]):
    results = NightSerializer(many=True)


class NightsView(StrictAPIView):
    """The nights that have packets."""

    resource = "alerts"
    renderer_classes = (Json,)

    def parameters(self) -> frozenset[str]:
        return frozenset({"before"})

    @extend_schema(
        operation_id="packets_nights",
        responses=NightsSerializer,
        parameters=[OpenApiParameter("before", OpenApiTypes.DATE, description="Only nights before this one.")],
    )
    def get(self, request: Request) -> Response:
        """Return the nights with packets and how large their archives are, the latest first, at most a thousand."""
        _refuse_blind(request)
        rows = []
        for night in nights(_shown(request), _date(request, "before"))[:MOST_NIGHTS]:
            archive = address(request, "packets-night", night.night)
            url = f"{archive}?{urlencode({'schema_version': night.schema_version})}"
            rows.append(dataclasses.asdict(night) | {"url": url})
        return Response({"results": rows})


class NightView(StrictAPIView):
    """All packets of one night in one Avro container."""

    resource = "alerts"
    renderer_classes = (Json,)

    def parameters(self) -> frozenset[str]:
        return frozenset({"schema_version"})

    @extend_schema(
        operation_id="packets_night",
        responses={(200, avro.MEDIA_TYPE): _BINARY, (206, avro.MEDIA_TYPE): _BINARY, 416: None},
        parameters=[
            OpenApiParameter("night", OpenApiTypes.DATE, OpenApiParameter.PATH),
            OpenApiParameter("schema_version", description="Needed where the night has packets of several."),
            OpenApiParameter("Range", OpenApiTypes.STR, OpenApiParameter.HEADER, description="Where to go on."),
        ],
    )
    def get(self, request: Request, night: str) -> HttpResponseBase:
        """Return the packets of a night in the order of the feed; what is published later comes behind."""
        _refuse_blind(request)
        day = _day(night)
        archives = archives_of(day, _shown(request)) if day is not None else {}
        version = request.query_params.get("schema_version") or next(iter(archives), "")
        if len(archives) > 1 and "schema_version" not in request.query_params:
            raise ValidationError({"schema_version": [f"Choose one of {', '.join(sorted(archives))}."]})
        if version not in archives:
            raise Http404
        archive = archives[version]
        headers = {"ETag": quote_etag(archive.tag)}
        if headers["ETag"] in tags_known(request):
            return HttpResponse(status=304, headers=headers)
        wanted = range_of(request._request, archive.size_bytes, archive.tag)
        if wanted is not None and wanted[0] >= wanted[1]:
            return beyond_end(archive.size_bytes)
        told = AlertPublication.objects.filter(packet__in=[row.pk for row in archive.packets])
        _note(request, told.values_list("alert", flat=True))
        answer = Streamed(archive.parts(*(wanted or ())), content_type=avro.MEDIA_TYPE, headers=headers)
        partial_headers(wanted, archive.size_bytes, answer)
        answer["Content-Disposition"] = f'attachment; filename="astrid_{night}_v{version}.avro"'
        return answer


def _asked(request: Request) -> tuple[Form, Cutouts, str]:
    """Return form, cutouts and part; what does not belong to the form is refused."""
    form = Form(_choice(request, "form", list(Form), Form.AVRO))
    given = request.query_params
    errors = {}
    if "cutouts" in given and form != Form.JSON:
        errors["cutouts"] = ["Only `form=json` has this."]
    if "part" in given and form != Form.FITS:
        errors["part"] = ["Only `form=fits` has this."]
    if "part" not in given and form == Form.FITS:
        errors["part"] = [f"`form=fits` needs this: choose one of {', '.join(CUTOUTS)}."]
    if errors:
        raise ValidationError(errors)
    part = _choice(request, "part", list(CUTOUTS), "")
    return form, Cutouts(_choice(request, "cutouts", list(Cutouts), Cutouts.EMBEDDED)), part


def _choice(request: Request, name: str, choices: Collection[str], default: str) -> str:
    value = request.query_params.get(name, default)
    if value not in choices and value != default:
        raise ValidationError({name: [f"Choose one of {', '.join(choices)}."]})
    return value


def _date(request: Request, name: str) -> dt.date | None:
    text = request.query_params.get(name)
    day = _day(text or "")
    if text is not None and day is None:
        raise ValidationError({name: ["Give a date, such as 2024-03-01."]})
    return day


def _day(text: str) -> dt.date | None:
    """Return a date as it is written here and nowhere else otherwise; None for anything else."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None


def _shown(request: Request) -> QuerySet[AlertPacket]:
    rows: QuerySet[AlertPacket] = AlertPacket.objects.visible_to(request.user)
    return rows


def _publication(request: Request, alert_id: UUID) -> AlertPublication:
    _refuse_blind(request)
    rows = visibility.alerts_for(request.user).filter(pk=alert_id)
    if not rows.exists():
        raise Http404
    published = AlertPublication.objects.filter(alert=alert_id).select_related("alert__detection").first()
    if published is None:
        raise Problem(409, "not_possible", "This alert is not published: it has no packet.")
    return published


def _refuse_blind(request: Request) -> None:
    if visibility.is_blind(person_of(request)):
        raise Problem(403, "judges_blind", _BLIND)


def _note(request: Request, alerts: Collection[UUID] | QuerySet[AlertPublication, UUID]) -> None:
    """Those that go out for the first time are `sent` from now on, as by the feed."""
    first = Alert.objects.filter(pk__in=alerts, status=AlertStatus.PENDING).values_list("pk", flat=True)
    if keys := list(first):
        note_pulled(keys, actor_of(request._request))
