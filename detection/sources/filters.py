"""What narrows the lists of detections and of sources."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import django_filters
from django import forms
from django.db.models import QuerySet

from detection.models import Detection, DetectionOrigin, DetectionStatus, DetectionType, Source
from observations.frames.filters import FieldNameFilter
from observations.models import Field
from observations.positions import parse_position
from observations.sky import Cone, SkyQuerySet

# Around a source that is given by its name.
_RADIUS_ARCSEC = 10.0


class PlaceField(forms.CharField):
    """A place in the sky: a position with a radius, or the name of a source or field."""

    def clean(self, value: Any) -> Any:
        """Return right ascension and declination in degrees and a radius in arcseconds; None where nothing is given."""
        text = super().clean(value)
        if not text:
            return None
        place = parse_position(text) or self._named(text)
        if place is None:
            raise forms.ValidationError(
                "Give RA and Dec in degrees or sexagesimal, optionally with a radius of at most 36000 "
                "arcseconds, or the full name of a source or field."
            )
        return place

    @staticmethod
    def _named(name: str) -> Cone | None:
        source = Source.objects.filter(name=name).order_by("pk").first()
        if source is not None:
            return source.ra, source.dec, max(_RADIUS_ARCSEC, 3.0 * source.position_error_arcsec)
        field = Field.objects.filter(name=name).order_by("pk").first()
        return None if field is None else (field.ra, field.dec, 3600.0 * field.radius_deg)


class PlaceFilter(django_filters.Filter):
    field_class = PlaceField


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class _SkyFilter(django_filters.FilterSet):
    """Both lists can be narrowed to a place; `order` is the view's."""

    place = PlaceFilter(
        method="near",
        label="Place",
        max_length=200,
        widget=forms.TextInput(attrs={"placeholder": "RA Dec [radius ″], or name", "size": 24}),
    )

    @property
    def qs(self) -> QuerySet[Any]:
        """Return nothing where a value cannot be read: a filter that is passed over would show too much."""
        return super().qs if self.is_valid() else self.queryset.none()

    def near(self, rows: SkyQuerySet, _name: str, place: Cone) -> SkyQuerySet:
        """Keep what lies within the radius of the place."""
        return rows.within([place])

    def as_ordered(self, rows: QuerySet[Any], _name: str, _value: str) -> QuerySet[Any]:
        """Keep all: the view orders."""
        return rows


class DetectionFilter(_SkyFilter):
    """Which detections to show."""

    _NEWEST, _BEST = ("-created_at", "-id"), ("-confidence_score", "id")
    _NEWEST_FRAMES = ("-observation__observation_time", "-observation_id", "-id")
    _OF_FRAMES = ("night_from", "night_to", "field")
    # What triage narrows its queue by under the same name.
    _OF_TRIAGE = ("status", "score_min", "score_max", "field")

    order = django_filters.ChoiceFilter(
        choices=[("newest", "Newest first"), ("score", "Best score first")],
        method="as_ordered", label="Order", empty_label=None,
    )  # fmt: skip
    status = django_filters.ChoiceFilter(
        choices=[(value.value, value.value) for value in DetectionStatus], label="State", empty_label="Any"
    )
    score_min = django_filters.NumberFilter(
        "confidence_score", "gte", label="Score from", min_value=0, max_value=1,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )  # fmt: skip
    score_max = django_filters.NumberFilter(
        "confidence_score",
        "lte",
        label="Score to",
        min_value=0,
        max_value=1,
        widget=forms.NumberInput(attrs={"step": "any"}),
    )
    detection_type = django_filters.ChoiceFilter(choices=DetectionType, label="Type", empty_label="Any")
    label = django_filters.CharFilter(
        method="labelled", label="Label", max_length=64, widget=forms.TextInput(attrs={"placeholder": "asteroid"})
    )
    night_from = django_filters.DateFilter("observation__night", "gte", label="Night from", widget=_date_input())
    night_to = django_filters.DateFilter("observation__night", "lte", label="Night to", widget=_date_input())
    field = FieldNameFilter(
        method="in_fields", label="Field", max_length=100, widget=forms.TextInput(attrs={"list": "field-names"})
    )
    origin = django_filters.ChoiceFilter(choices=DetectionOrigin, label="Origin", empty_label="Any")

    class Meta:
        model = Detection
        fields: list[str] = []

    @classmethod
    def ordering(cls, query: Mapping[str, str]) -> tuple[str, ...]:
        """Return the order that a query asks for.

        Where it narrows by frames, "newest" is that of the frames: then the list begins at the right ones, however long
        ago they were taken, and need not pass over all that was found since.
        """
        if query.get("order") == "score":
            return cls._BEST
        return cls._NEWEST_FRAMES if any(query.get(name) for name in cls._OF_FRAMES) else cls._NEWEST

    @classmethod
    def triage_query(cls, query: Mapping[str, str]) -> str | None:
        """Return what narrows the queue of triage to the same detections; None where nothing can."""
        given = {name: value for name, value in query.items() if value and name in cls.base_filters and name != "order"}
        if "night_from" in given and given["night_from"] == given.get("night_to"):
            given["night"] = given.pop("night_from")
            del given["night_to"]
        is_reviewed = given.get("status") not in (DetectionStatus.VALIDATING, DetectionStatus.ARCHIVED)
        return urlencode(given) if is_reviewed and given.keys() <= {*cls._OF_TRIAGE, "night"} else None

    def labelled(self, rows: QuerySet[Detection], _name: str, label: str) -> QuerySet[Detection]:
        """Keep what people gave this label, written as on its button or as clients write it."""
        return rows.filter(human_label=label.strip().lower().replace(" ", "_"))

    def in_fields(self, rows: QuerySet[Detection], _name: str, fields: list[Field]) -> QuerySet[Detection]:
        """Keep what was found in frames of these fields."""
        return rows.filter(observation__field__in=fields)


class SourceFilter(_SkyFilter):
    """Which sources to show."""

    field = FieldNameFilter(
        method="in_field", label="Field", max_length=100, widget=forms.TextInput(attrs={"list": "field-names"})
    )
    detections_min = django_filters.NumberFilter(
        "detection_count", "gte", label="Minimum detections", min_value=0, max_value=1_000_000
    )
    detected_after = django_filters.DateFilter(method="after", label="Last detected since", widget=_date_input())

    class Meta:
        model = Source
        fields: list[str] = []

    def in_field(self, rows: SkyQuerySet, _name: str, fields: list[Field]) -> SkyQuerySet:
        """Keep what lies in the circle around the field's frames."""
        return rows.within([(field.ra, field.dec, 3600.0 * field.radius_deg) for field in fields])

    def after(self, rows: QuerySet[Source], _name: str, day: dt.date) -> QuerySet[Source]:
        """Keep what was seen since the beginning of a day, UTC."""
        return rows.filter(last_detected_at__gte=dt.datetime.combine(day, dt.time(), dt.UTC))
