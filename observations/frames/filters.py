"""What narrows the list of frames."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import django_filters
from django import forms
from django.core.validators import ProhibitNullCharactersValidator
from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema_field

from catalog.web.filters import AT, FROM_TO, NOT_FOUND, ONE_OF, ConeFilter, ListFilter, day_input
from observations.models import Field, Observation, ObservationStatus, Survey


class FieldNameField(forms.CharField):
    """A field of the sky by its name, which several may have, or by its key."""

    default_validators = [ProhibitNullCharactersValidator()]

    # Those that the person may see.
    rows: QuerySet[Field] = Field.objects.none()

    def clean(self, value: object) -> list[UUID] | None:
        """Return the keys of these fields; None where nothing is given."""
        name = super().clean(value)
        if not name:
            return None
        try:
            # Compared as it is: to look for the row would tell whether it is there.
            return [UUID(name)]
        except ValueError:
            found = list(self.rows.filter(name__iexact=name).values_list("pk", flat=True)[:100])
        if not found:
            raise forms.ValidationError(f"There is no field “{name}”.", NOT_FOUND)
        return found


@extend_schema_field({"type": "string"})
class FieldNameFilter(django_filters.Filter):
    """Rows of fields of the sky, each found by its name or its key."""

    field_class = FieldNameField

    def __init__(self, field_name: str | None = None, **more: object) -> None:
        widget = forms.TextInput(attrs={"list": "field-names"})
        super().__init__(field_name, "in", **{"label": "Field", "max_length": 100, "widget": widget, **more})

    @property
    def field(self) -> FieldNameField:
        found: FieldNameField = super().field
        # The document of the interface asks what a field is like, of no list.
        if (request := getattr(getattr(self, "parent", None), "request", None)) is not None:
            found.rows = Field.objects.visible_to(request.user)
        return found


class ObservationFilter(ListFilter):
    """Which frames to show."""

    _NEWEST = ("-observation_time", "-id")
    controls = ("name", "status", "field", "filter_band", "survey", "night_from", "night_to")

    name = django_filters.CharFilter(method="named", label="Name begins with", max_length=200)
    status = django_filters.ChoiceFilter(
        choices=[(value.value, value.value) for value in ObservationStatus], label="State", empty_label="Any"
    )
    field = FieldNameFilter("field")
    filter_band = django_filters.CharFilter(label="Band", max_length=32)
    night_from = django_filters.DateFilter("night", "gte", label="Night from", widget=day_input())
    night_to = django_filters.DateFilter("night", "lte", label="Night to", widget=day_input())
    cone = ConeFilter()

    class Meta:
        model = Observation
        fields = {
            "id": ["in"], "survey": AT, "telescope": AT, "field": AT, "observation_id": AT, "sha256": AT,
            "status": ONE_OF, "filter_band": ONE_OF, "wcs_quality": ONE_OF, "failure_code": ONE_OF,
            "night": [*AT, *FROM_TO], "observation_time": FROM_TO, "mjd_utc": FROM_TO, "created_at": FROM_TO,
            "updated_at": FROM_TO,
        }  # fmt: skip

    @classmethod
    def ordering(cls, query: Mapping[str, str]) -> tuple[str, ...]:
        """Return the order for a query: narrowed by nights the list begins at the right ones, however long ago."""
        return ("-night", *cls._NEWEST) if query.get("night_from") or query.get("night_to") else cls._NEWEST

    def offered(self) -> list[forms.BoundField]:
        """Offer the surveys by their names."""
        surveys = Survey.objects.visible_to(self.request.user).order_by("name").values_list("pk", "name")
        self.form.fields["survey"].widget = forms.Select(choices=[("", "Any"), *surveys])
        return super().offered()

    def named(self, rows: QuerySet[Observation], _name: str, start: str) -> QuerySet[Observation]:
        """Keep frames whose file or own name begins so."""
        return rows.filter(Q(original_name__startswith=start) | Q(observation_id__startswith=start))
