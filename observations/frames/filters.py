"""What narrows the list of frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import django_filters
from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Q, QuerySet

from observations.models import Field, Observation, ObservationStatus, Survey


class FieldNameField(forms.CharField):
    """The name of a field of the sky; several fields may have the same."""

    default_validators = [ProhibitNullCharactersValidator()]

    def clean(self, value: Any) -> Any:
        """Return the fields of that name; None where nothing is given."""
        name = super().clean(value)
        found = list(Field.objects.filter(name__iexact=name)[:100]) if name else None
        if found == []:
            raise forms.ValidationError(f"There is no field “{name}”.")
        return found


class FieldNameFilter(django_filters.Filter):
    field_class = FieldNameField


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ObservationFilter(django_filters.FilterSet):
    """Which frames to show."""

    _NEWEST = ("-observation_time", "-id")

    name = django_filters.CharFilter(method="named", label="Name begins with", max_length=200)
    status = django_filters.ChoiceFilter(
        choices=[(value.value, value.value) for value in ObservationStatus], label="State", empty_label="Any"
    )
    field = FieldNameFilter(
        method="in_fields", label="Field", max_length=100, widget=forms.TextInput(attrs={"list": "field-names"})
    )
    filter_band = django_filters.CharFilter(label="Band", max_length=32)
    survey = django_filters.ModelChoiceFilter(
        queryset=lambda request: Survey.objects.visible_to(request.user).order_by("name"),
        label="Survey",
        empty_label="Any",
    )
    night_from = django_filters.DateFilter("night", "gte", label="Night from", widget=_date_input())
    night_to = django_filters.DateFilter("night", "lte", label="Night to", widget=_date_input())

    class Meta:
        model = Observation
        fields: list[str] = []

    @property
    def qs(self) -> QuerySet[Any]:
        """Return nothing where a value cannot be read: a filter that is passed over would show too much."""
        return super().qs if self.is_valid() else self.queryset.none()

    @classmethod
    def ordering(cls, query: Mapping[str, str]) -> tuple[str, ...]:
        """Return the order for a query: narrowed by nights the list begins at the right ones, however long ago."""
        return ("-night", *cls._NEWEST) if query.get("night_from") or query.get("night_to") else cls._NEWEST

    def named(self, rows: QuerySet[Observation], _name: str, start: str) -> QuerySet[Observation]:
        """Keep frames whose file or own name begins so."""
        return rows.filter(Q(original_name__startswith=start) | Q(observation_id__startswith=start))

    def in_fields(self, rows: QuerySet[Observation], _name: str, fields: list[Field]) -> QuerySet[Observation]:
        """Keep frames of these fields."""
        return rows.filter(field__in=fields)
