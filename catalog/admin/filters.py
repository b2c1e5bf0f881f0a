"""Filters of long lists: none of them reads a whole table to know its values."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib import admin
from django.db import connection
from django.db.models import Model, QuerySet
from django.db.models.fields.related import RelatedField
from django.forms import Form
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.contrib.filters.forms import DropdownForm, SearchForm

from catalog.models import RecordQuerySet

Choices = list[tuple[str, str]]

# Steps from one value of an indexed column to the next, instead of reading all rows for their distinct values.
_VALUES_SQL = """
    WITH RECURSIVE step AS (
        (SELECT min({column}) AS value FROM {table})
        UNION ALL
        SELECT (SELECT min({column}) FROM {table} WHERE {column} > step.value) FROM step WHERE step.value IS NOT NULL
    )
    SELECT value FROM step WHERE value IS NOT NULL AND value <> '' LIMIT 200
"""


class ChosenFilter(admin.FieldListFilter):
    """One value of a field, from the address."""

    template = "unfold/filters/filters_field.html"
    lookup = "exact"

    @property
    def parameter(self) -> str:
        """Return its name in the address."""
        return f"{self.field_path}__{self.lookup}"

    def expected_parameters(self) -> list[str | None]:
        return [self.parameter]

    @property
    def chosen(self) -> str:
        """Return the value, "" for all."""
        given = self.used_parameters.get(self.parameter, "")
        return str(given[-1] if isinstance(given, list) else given).strip()

    def queryset(self, request: HttpRequest, queryset: QuerySet[Model]) -> QuerySet[Model]:
        return queryset.filter(**{self.parameter: self.chosen}) if self.chosen else queryset

    def choices(self, changelist: object) -> Iterator[dict[str, object]]:  # type: ignore[override]
        yield {"form": self.form()}

    def form(self) -> Form:
        """Return the form that asks for the value."""
        raise NotImplementedError


class ExactTextFilter(ChosenFilter):
    """A word that the field equals, in whatever case."""

    lookup = "iexact"

    def form(self) -> Form:
        return SearchForm(name=self.parameter, label=f"By {self.title}", data={self.parameter: self.chosen})


class DropdownFilter(ChosenFilter):
    """One value out of a list."""

    def form(self) -> Form:
        return DropdownForm(
            label=f"By {self.title}",
            name=self.parameter,
            choices=[("", "All"), *self.options()],
            data={self.parameter: self.chosen},
        )

    def options(self) -> Choices:
        """Return the values to choose from, with their names."""
        return [(str(value), str(name)) for value, name in self.field.flatchoices if value]


class ShownRowsFilter(RelatedDropdownFilter):
    """One of the rows that a field leads to, of those that the person may see."""

    def field_choices(self, field: RelatedField, request: HttpRequest, model_admin: admin.ModelAdmin) -> Choices:
        rows = field.related_model._default_manager.all()
        shown = rows.not_hidden_from(request.user) if isinstance(rows, RecordQuerySet) else rows
        return [(str(row.pk), str(row)) for row in shown]


class IndexedValuesFilter(DropdownFilter):
    """The values of a column that leads an index, found without reading the table."""

    def options(self) -> Choices:
        quote = connection.ops.quote_name
        sql = _VALUES_SQL.format(column=quote(str(self.field.column)), table=quote(self.field.model._meta.db_table))
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return [(value, value.replace("_", " ")) for (value,) in cursor.fetchall()]


class YesNoFilter(DropdownFilter):
    """Whether a boolean field is set."""

    def options(self) -> Choices:
        return [("1", "Yes"), ("0", "No")]
