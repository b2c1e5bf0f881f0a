"""What to observe tonight, for clients and for telescopes."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_serializer
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from catalog.web.rest.fields import RowKey
from catalog.web.rest.narrowing import refusal_of
from catalog.web.rest.permissions import require
from catalog.web.rest.problems import Problem
from catalog.web.rest.rendering import Json, Parquet, VOTable
from catalog.web.rest.resources import address_of
from catalog.web.rest.tables import told
from catalog.web.rest.views import StrictAPIView, person_of
from catalog.writing import sexagesimal_dec, sexagesimal_ra
from curation.tonight.forms import NAMES, TonightForm
from curation.tonight.plan import USUAL_ALTITUDE_DEG, Observable, Plan, plan_for
from curation.tonight.targets import Kind
from detection.models import Urgency
from observations.places import place_of

SITE_UNKNOWN = "give latitude and longitude of the telescope in the admin, or deliver a frame whose header has them"
# For telescopes: what their programs read first, in the order of most of them.
_COLUMNS = (
    "name", "ra_hms", "dec_dms", "ra_deg", "dec_deg", "at_utc", "rate_ra_arcsec_per_min", "rate_dec_arcsec_per_min",
    "mag", "filter", "exposure_note", "error_arcsec", "best_utc", "best_altitude_deg", "urgency", "why",
    "error_minor_arcsec", "error_angle_deg", "altitude_deg", "airmass", "best_airmass", "moon_distance_deg",
)  # fmt: skip

# While it is known how the Earth turned and will turn.
_AT = {
    "type": "string",
    "pattern": (
        r"^(19[6-9]\d|20\d\d)-(0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])T([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?Z?$"
    ),
    "example": "2026-03-01T21:00",
}


class TargetSerializer(serializers.Serializer[object]):
    id = serializers.UUIDField(help_text="Key of its source, mover or tracklet.")
    entity_url = serializers.URLField(allow_null=True, help_text="Address of what it is.")
    detection = RowKey("detections", allow_null=True, help_text="The newest one of it.")
    name = serializers.CharField(help_text="Short, for telescopes.")
    kind = serializers.ChoiceField([kind.value for kind in Kind], help_text="Whether it stays in its place.")
    urgency = serializers.ChoiceField(Urgency.choices, help_text="4 is the most urgent; the rows are in its order.")
    why = serializers.CharField(help_text="Why it is in the list.")
    ra = serializers.FloatField(help_text="Right ascension at the time of the list, ICRS degrees.")
    dec = serializers.FloatField(help_text="Declination at the time of the list, ICRS degrees.")
    rate_ra_arcsec_per_min = serializers.FloatField(help_text="Motion in RA times cos Dec.")
    rate_dec_arcsec_per_min = serializers.FloatField(help_text="Motion in Dec.")
    error_major_arcsec = serializers.FloatField(help_text="Long half axis of the ellipse of 1 sigma.")
    error_minor_arcsec = serializers.FloatField(help_text="Short half axis of it.")
    error_angle_deg = serializers.FloatField(help_text="Of the long axis, from north by east.")
    mag = serializers.FloatField(allow_null=True, help_text="When it was last seen; null where it is not known.")
    filter_band = serializers.CharField(help_text="In which it was last seen.")
    nights = serializers.IntegerField(help_text="On which it was seen.")
    last_seen = serializers.DateTimeField(help_text="Middle of the exposure.")
    altitude_deg = serializers.FloatField(help_text="At the time of the list, without refraction.")
    airmass = serializers.FloatField(allow_null=True, help_text="At the time of the list; null below the horizon.")
    hour_angle_h = serializers.FloatField(help_text="At the time of the list; west is positive.")
    best_at = serializers.DateTimeField(help_text="When it stands highest in the dark that is left.")
    best_altitude_deg = serializers.FloatField(help_text="Then.")
    best_airmass = serializers.FloatField(allow_null=True, help_text="Then.")
    rises_at = serializers.DateTimeField(help_text="From when it is above the limit, in the dark.")
    sets_at = serializers.DateTimeField(
        allow_null=True, help_text="When it goes below the limit; null: day comes first."
    )
    moon_distance_deg = serializers.FloatField(help_text="At its best time.")
    longest_exposure_s = serializers.FloatField(
        allow_null=True,
        help_text="In which it moves by the width of a star; null where it stays, or that is not known.",
    )


@extend_schema_serializer(many=False)
class TonightSerializer(serializers.Serializer[object]):
    telescope = RowKey("telescopes")
    at = serializers.DateTimeField(help_text="The time for which places are given.")
    dark_from = serializers.DateTimeField(allow_null=True, help_text="Null where it does not get dark.")
    dark_until = serializers.DateTimeField(allow_null=True)
    sun_below_deg = serializers.FloatField(allow_null=True, help_text="What counts as dark: the Sun's altitude.")
    moon_illuminated = serializers.FloatField(
        allow_null=True, help_text="Lit share of its disc, in the middle of the dark."
    )
    too_low = serializers.IntegerField(help_text="How many more never rise above the limit while it is dark.")
    left_out = serializers.DictField(child=serializers.IntegerField(), help_text="How many others, by the reason.")
    results = TargetSerializer(many=True)


class TargetsCSV(BaseRenderer):
    """For telescopes: positions of J2000, sexagesimal and in degrees, and rates for tracking."""

    media_type, format, charset = "text/csv", "csv", "utf-8"

    def render(
        self,
        data: Mapping[str, list[dict[str, object]]],
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> bytes:
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(_COLUMNS)
        writer.writerows(_line(row, str(told(data["at"]))) for row in data["results"])
        return buffer.getvalue().encode()


class TonightView(StrictAPIView):
    """Objects that want another epoch and can be observed in the night that lasts or comes next, most urgent first.

    `format=csv` is for telescopes. 409 with the code `site_unknown` where it is not known where the telescope stands.
    Moving objects need the scope `tracklets:read` besides.
    """

    resource = "detections"
    renderer_classes = (Json, TargetsCSV, VOTable, Parquet)
    # By these a table knows that it is one of rows.
    action = "list"

    def get_serializer(self) -> TargetSerializer:
        """Return what names the columns of a table."""
        return TargetSerializer()

    def parameters(self) -> frozenset[str]:
        return frozenset({"format", *NAMES})

    @extend_schema(
        operation_id="tonight",
        responses=TonightSerializer,
        parameters=[
            OpenApiParameter(
                "telescope", {"type": "string", "format": "uuid"}, description="By default that of the newest frames."
            ),
            OpenApiParameter(
                "altitude_min", {"type": "number", "minimum": 0, "maximum": 89},
                description=f"Degrees above the horizon; {USUAL_ALTITUDE_DEG:.0f} by default.",
            ),
            OpenApiParameter("kind", {"type": "string", "enum": [kind.value for kind in Kind]}),
            OpenApiParameter("at", _AT, description="UTC; now, by default."),
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Return what to observe."""
        form = TonightForm(request.query_params, person_of(request))
        if not form.is_valid():
            raise refusal_of(form.errors)
        if Kind.MOVING in form.asked_kinds:
            require(request, "tracklets:read", "Ask with kind=source.")
        telescope = form.asked_telescope
        if telescope is None or place_of(telescope) is None:
            which = f"Where {telescope} stands is not known" if telescope else "There is no telescope yet"
            raise Problem(409, "site_unknown", f"{which}: {SITE_UNKNOWN}.")
        plan = plan_for(
            person_of(request), telescope, form.asked_at, altitude_deg=form.asked_altitude_deg, kinds=form.asked_kinds
        )
        rows = [_row(one, request) for one in plan.observable]
        return Response(_about(plan) | {"results": rows})


def _about(plan: Plan) -> dict[str, object]:
    dark = plan.darkness
    return {
        "telescope": plan.telescope.pk,
        "at": plan.at,
        "dark_from": dark.begins_at if dark else None,
        "dark_until": dark.ends_at if dark else None,
        "sun_below_deg": dark.sun_below_deg if dark else None,
        "moon_illuminated": dark.moon_illuminated if dark else None,
        "too_low": plan.too_low,
        "left_out": plan.left_out.counts,
    }


def _row(one: Observable, request: Request) -> dict[str, object]:
    target, place = one.target, one.place
    return {
        "id": target.key,
        "entity_url": address_of(target.entity_type, str(target.key), request),
        "detection": target.detection,
        "name": target.name,
        "kind": target.kind.value,
        "urgency": target.level,
        "why": target.why,
        "ra": place.ra,
        "dec": place.dec,
        "rate_ra_arcsec_per_min": place.rate_ra,
        "rate_dec_arcsec_per_min": place.rate_dec,
        "error_major_arcsec": place.major_arcsec,
        "error_minor_arcsec": place.minor_arcsec,
        "error_angle_deg": place.angle_deg,
        "mag": target.mag,
        "filter_band": target.band,
        "nights": target.nights,
        "last_seen": target.last_seen,
        "altitude_deg": one.now.altitude_deg,
        "airmass": one.now.airmass,
        "hour_angle_h": one.now.hour_angle_h,
        "best_at": one.best.at,
        "best_altitude_deg": one.best.altitude_deg,
        "best_airmass": one.best.airmass,
        "rises_at": one.rises_at,
        "sets_at": one.sets_at,
        "moon_distance_deg": one.moon_distance_deg,
        "longest_exposure_s": one.longest_exposure_s,
    }


def _line(row: Mapping[str, object], at: str) -> list[object]:
    """Return a row as telescopes read it, in ASCII; nothing but signed numbers begins as formulas do."""
    ra, dec, mag = float(str(row["ra"])), float(str(row["dec"])), row["mag"]
    longest = row["longest_exposure_s"]
    note = "" if longest is None else f"at most {float(str(longest)):.0f} s, then it trails by the width of a star"
    return [
        str(row["name"]).lstrip("=+-@\t\r\n"), sexagesimal_ra(ra), sexagesimal_dec(dec).replace("−", "-"), f"{ra:.6f}",
        f"{dec:.6f}", at, f"{row['rate_ra_arcsec_per_min']:.4f}", f"{row['rate_dec_arcsec_per_min']:.4f}",
        "" if mag is None else f"{mag:.2f}", str(row["filter_band"]).lstrip("=+-@\t\r\n"), note,
        f"{row['error_major_arcsec']:.2f}", told(row["best_at"]), f"{row['best_altitude_deg']:.1f}",
        row["urgency"], str(row["why"]).replace("″", " arcsec").replace("′", " arcmin"),
        f"{row['error_minor_arcsec']:.2f}", f"{row['error_angle_deg']:.0f}", f"{row['altitude_deg']:.1f}",
        _airmass(row["airmass"]), _airmass(row["best_airmass"]), f"{row['moon_distance_deg']:.0f}",
    ]  # fmt: skip


def _airmass(value: object) -> str:
    """Return an airmass; nothing for what is below the horizon."""
    return "" if value is None else f"{value:.2f}"
