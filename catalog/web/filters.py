"""What lists are narrowed by: declared once for pages and clients; a value that cannot be read is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, ClassVar, Protocol, Self

import django_filters
from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django_filters import rest_framework
from django_filters.fields import IsoDateTimeField
from drf_spectacular.utils import extend_schema_field

MOST_RADIUS_ARCSEC = 36_000.0
# Code of errors about what is named and is not there, or is not visible to who asks: 404 for clients.
NOT_FOUND = "not_found"
# As the document of the interface says it: 0 ≤ RA < 360, -90 ≤ Dec ≤ 90, 0 < radius ≤ 36000.
CONE = {
    "type": "string",
    "pattern": (
        r"^(\d|[1-9]\d|[12]\d\d|3[0-5]\d)(\.\d{1,9})?,-?(90|[1-8]?\d(\.\d{1,9})?),"
        r"([1-9]\d{0,3}|[12]\d{4}|3[0-5]\d{3})(\.\d{1,9})?$"
    ),
    "example": "197.45,-23.38,60",
}
AT, FROM_TO = ["exact"], ["gte", "lte", "gt", "lt"]
ONE_OF = ["exact", "in"]


class TimeField(IsoDateTimeField):
    """In UTC: the database knows no offsets beyond 16 hours. A time whose UTC lies beyond the years 1 to 9999 is their
    first or last moment, which no row passes."""

    def clean(self, value: object) -> dt.datetime | None:
        moment: dt.datetime | None = super().clean(value)
        if moment is None:
            return None
        try:
            return moment.astimezone(dt.UTC)
        except OverflowError:
            utc = dt.UTC
            return dt.datetime.min.replace(tzinfo=utc) if moment.year == 1 else dt.datetime.max.replace(tzinfo=utc)


class TimeFilter(django_filters.IsoDateTimeFilter):
    """A moment, UTC where no zone is given."""

    field_class = TimeField


class _FlagField(forms.Field):
    widget = forms.TextInput

    def to_python(self, value: object) -> bool | None:
        if value in self.empty_values:
            return None
        if value not in ("true", "false"):
            raise ValidationError("Give true or false.")
        return bool(value == "true")


class FlagFilter(django_filters.BooleanFilter):
    """true or false; the library's own reads anything else as no filter."""

    field_class = _FlagField


class WholeFilter(django_filters.NumberFilter):
    """A whole number; the library's own cuts 1.5 to 1."""

    field_class = forms.IntegerField


def number(field: str, lookup: str) -> django_filters.NumberFilter:
    """Return a bound on a number that stands in another row, under a name of its own."""
    return django_filters.NumberFilter(field, lookup)


class OneOfFilter(django_filters.BaseInFilter, django_filters.ChoiceFilter):
    """Some of a field's states; the library's own takes any words."""


class _InTheSky(Protocol):
    """Rows with positions."""

    def within(self, cones: Sequence[tuple[float, float, float]]) -> Self: ...


class ConeField(forms.CharField):
    """`ra,dec,radius_arcsec`."""

    def to_python(self, value: object) -> Any:
        text = super().to_python(value)
        if text in self.empty_values:
            return None
        try:
            ra, dec, radius = (float(part) for part in str(text).split(","))
        except ValueError as error:
            raise ValidationError("Give ra,dec,radius_arcsec: three numbers with commas between.") from error
        if not 0.0 <= ra < 360.0 or not -90.0 <= dec <= 90.0:
            raise ValidationError("Give ra from 0 up to 360 and dec from -90 to 90, in degrees.")
        if not 0.0 < radius <= MOST_RADIUS_ARCSEC:
            raise ValidationError(f"Give a radius above 0 and up to {MOST_RADIUS_ARCSEC:g} arcseconds.")
        return ra, dec, radius


@extend_schema_field(CONE)
class ConeFilter(django_filters.Filter):
    """Rows within a distance of a position."""

    field_class = ConeField

    def __init__(self) -> None:
        super().__init__(help_text="`ra,dec,radius_arcsec`: ICRS degrees, and at most 36000 arcseconds.")

    def filter(self, qs: _InTheSky, value: tuple[float, float, float] | None) -> _InTheSky:
        return qs if value is None else qs.within([value])


class ListFilter(rest_framework.FilterSet):
    """What one model is narrowed by, on pages and for clients: fields by name, with `__gte`, `__lte`, `__gt`, `__lt`,
    `__in` where they are declared, keys as UUIDs, and what people look for besides.

    controls : what a page offers, in its order; what else its address narrows by is shown beside them.
    """

    controls: ClassVar[tuple[str, ...]] = ()
    FILTER_DEFAULTS = {
        **rest_framework.FilterSet.FILTER_DEFAULTS,
        models.BooleanField: {"filter_class": FlagFilter},
        models.DateTimeField: {"filter_class": TimeFilter},
        # Compared as it is: to look for the row would tell whether it is there.
        models.ForeignKey: {"filter_class": django_filters.UUIDFilter},
        models.OneToOneField: {"filter_class": django_filters.UUIDFilter},
        **{
            kind: {"filter_class": WholeFilter}
            for kind in (models.IntegerField, models.SmallIntegerField, models.PositiveIntegerField)
        },
    }

    @classmethod
    def filter_for_lookup(
        cls, field: models.Field[object, object], lookup_type: str
    ) -> tuple[type[django_filters.Filter] | None, dict[str, object]]:
        if lookup_type == "in" and getattr(field, "choices", None):
            return OneOfFilter, {"choices": field.choices}
        return super().filter_for_lookup(field, lookup_type)

    @property
    def qs(self) -> models.QuerySet[Any]:
        """Return nothing where a value cannot be read: a filter that is passed over would show too much."""
        return super().qs if self.is_valid() else self.queryset.none()

    @property
    def is_narrowed(self) -> bool:
        """Tell whether anything was asked for."""
        return any(self.data.get(name) for name in self.filters)

    def offered(self) -> list[forms.BoundField]:
        """Return the fields of a page's form; those that it does not offer by itself are called as in the address."""
        beside = [self.form[name] for name in self.filters if self.data.get(name) and name not in self.controls]
        for field in beside:
            field.label = field.name.replace("__", " ").replace("_", " ").capitalize()
        return [*(self.form[name] for name in self.controls), *beside]


def day_input() -> forms.DateInput:
    """Return a control for a day."""
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def start_of(day: dt.date) -> dt.datetime:
    """Return when a day begins, UTC."""
    return dt.datetime.combine(day, dt.time(), dt.UTC)
