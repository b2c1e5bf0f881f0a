"""What narrows the list of frames."""

from __future__ import annotations

from typing import Any

import django_filters
from django import forms
from django.db.models import QuerySet

from observations.models import Observation, ObservationStatus, Survey


def _date_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class ObservationFilter(django_filters.FilterSet):
    """Which frames to show."""

    status = django_filters.ChoiceFilter(
        choices=[(value.value, value.value) for value in ObservationStatus], label="State", empty_label="Any"
    )
    name = django_filters.CharFilter("observation_id", "startswith", label="Name begins with", max_length=200)
    field = django_filters.CharFilter(
        "field__name", "iexact", label="Field", max_length=100, widget=forms.TextInput(attrs={"list": "field-names"})
    )
    filter_band = django_filters.CharFilter(label="Band", max_length=32)
    survey = django_filters.ModelChoiceFilter(
        queryset=Survey.objects.order_by("name"), label="Survey", empty_label="Any"
    )
    night_from = django_filters.DateFilter("night", "gte", label="Night from", widget=_date_input())
    night_to = django_filters.DateFilter("night", "lte", label="to", widget=_date_input())

    class Meta:
        model = Observation
        fields: list[str] = []

    @property
    def qs(self) -> QuerySet[Any]:
        """Return nothing where a value cannot be read: a filter that is passed over would show too much."""
        return super().qs if self.is_valid() else self.queryset.none()
