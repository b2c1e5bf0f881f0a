"""What narrows the list of sources; places in the sky, by which detections are found too."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import django_filters
from django import forms
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field

from catalog.web.filters import AT, FROM_TO, NOT_FOUND, ONE_OF, ConeFilter, ListFilter, day_input, start_of
from detection.models import Source
from observations.frames.filters import FieldNameFilter
from observations.models import Field
from observations.positions import parse_position
from observations.sky import Cone, SkyQuerySet

# Around a source that is given by its name.
_RADIUS_ARCSEC = 10.0


class PlaceField(forms.CharField):
    """A place in the sky: a position with a radius, or the name of a source or field."""

    # Those that the person may see.
    sources: QuerySet[Source] = Source.objects.none()
    fields: QuerySet[Field] = Field.objects.none()

    def clean(self, value: object) -> Cone | None:
        """Return right ascension and declination in degrees and a radius in arcseconds; None where nothing is given."""
        text = super().clean(value)
        if not text:
            return None
        place = parse_position(text) or self._named(text)
        if place is None:
            raise forms.ValidationError(
                "Give RA and Dec in degrees or sexagesimal, optionally with a radius of at most 36000 "
                "arcseconds, or the full name of a source or field.",
                NOT_FOUND,
            )
        return place

    def _named(self, name: str) -> Cone | None:
        source = self.sources.filter(name=name).order_by("pk").first()
        if source is not None:
            return source.ra, source.dec, max(_RADIUS_ARCSEC, 3.0 * source.position_error_arcsec)
        field = self.fields.filter(name=name).order_by("pk").first()
        return None if field is None else (field.ra, field.dec, 3600.0 * field.radius_deg)


@extend_schema_field({"type": "string"})
class PlaceFilter(django_filters.Filter):
    """Rows near a place."""

    field_class = PlaceField

    @property
    def field(self) -> PlaceField:
        found: PlaceField = super().field
        # The document of the interface asks what a field is like, of no list.
        if (request := getattr(getattr(self, "parent", None), "request", None)) is not None:
            found.sources = Source.objects.visible_to(request.user)
            found.fields = Field.objects.visible_to(request.user)
        return found

    def filter(self, rows: SkyQuerySet, place: Cone | None) -> SkyQuerySet:
        """Keep what lies within the radius of the place."""
        return rows if place is None else rows.within([place])


class SkyFilter(ListFilter):
    """What has a position is narrowed to a place: as people write it, or as programs do."""

    place = PlaceFilter(
        label="Place",
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "RA Dec [radius ″], or name", "size": 24}),
    )
    cone = ConeFilter()


class SourceFilter(SkyFilter):
    """Which sources to show."""

    controls = ("place", "field", "detections_min", "detected_after")

    field = FieldNameFilter(method="in_field")
    detections_min = django_filters.NumberFilter(
        "detection_count", "gte", label="Minimum detections", min_value=0, max_value=1_000_000
    )
    detected_after = django_filters.DateFilter(method="after", label="Last detected since", widget=day_input())

    class Meta:
        model = Source
        fields = {
            "id": ["in"], "name": AT, "wcs_quality": ONE_OF, "detection_count": ["gte", "lte"],
            "first_detected_at": FROM_TO, "last_detected_at": FROM_TO, "created_at": FROM_TO,
            "updated_at": FROM_TO,
        }  # fmt: skip

    def in_field(self, rows: SkyQuerySet, _name: str, keys: list[UUID]) -> SkyQuerySet:
        """Keep what lies in the circle around the field's frames."""
        circles = [(field.ra, field.dec, 3600.0 * field.radius_deg) for field in self._fields.filter(pk__in=keys)]
        return rows.within(circles) if circles else rows.none()

    @property
    def _fields(self) -> QuerySet[Field]:
        rows: QuerySet[Field] = Field.objects.visible_to(self.request.user)
        return rows

    def after(self, rows: QuerySet[Source], _name: str, day: dt.date) -> QuerySet[Source]:
        """Keep what was seen since the beginning of a day, UTC."""
        return rows.filter(last_detected_at__gte=start_of(day))
