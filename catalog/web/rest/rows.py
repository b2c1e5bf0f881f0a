"""Rows as clients have them: the fields of a model, read the shortest way, for lists go out by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter

import orjson
from rest_framework import serializers
from rest_framework.fields import SkipField

from catalog.models import Record

Reader = Callable[[Record], object]

# What these make of a value, the renderers make of it too: see `rendering.Json`.
_AS_IT_IS = {
    kind.to_representation
    for kind in (
        serializers.BigIntegerField, serializers.BooleanField, serializers.CharField, serializers.ChoiceField,
        serializers.DateField, serializers.DateTimeField, serializers.FloatField, serializers.IntegerField,
        serializers.JSONField, serializers.UUIDField,
    )
}  # fmt: skip


class RowSerializer(serializers.ModelSerializer[Record]):
    """Fields of a model under their own names, read-only."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields = super().get_fields()
        for field in fields.values():
            field.read_only = True
        return fields

    def to_representation(self, instance: Record) -> dict[str, object]:
        """Return keys and times as Python has them, JSON that the database wrote as a text as that text."""
        names, values_of, others = self._readers
        told = dict(zip(names, values_of(instance), strict=True))
        for name, read in others:
            told[name] = read(instance)
        return told

    @cached_property
    def _readers(self) -> tuple[list[str], Callable[[Record], tuple[object, ...]], list[tuple[str, Reader]]]:
        """Return the names of all fields, what reads them at once, and what reads those better that are no columns."""
        fields = {name: field for name, field in self.fields.items() if not field.write_only}
        columns = {name: _column_of(field) for name, field in fields.items()}
        others = [(name, _reader(field)) for name, field in fields.items() if columns[name] is None]
        # The key, which is always there, holds the places of these.
        sources = [column or "pk" for column in columns.values()]
        return list(fields), _values_of(sources), others


def _values_of(sources: list[str]) -> Callable[[Record], tuple[object, ...]]:
    if len(sources) > 1:
        return attrgetter(*sources)
    return lambda row: tuple(getattr(row, source) for source in sources)


def text_of(column: str) -> str:
    """Return under which name a row has the text of a column of JSON."""
    return f"{column}_as_text"


def _column_of(field: serializers.Field) -> str | None:
    """Return the attribute that goes out as it is; None where it is made of something."""
    if field.source in (None, "*") or "." in str(field.source) or isinstance(field, serializers.JSONField):
        return None
    if type(field) is serializers.PrimaryKeyRelatedField:
        return f"{field.source}_id"
    return str(field.source) if type(field).to_representation in _AS_IT_IS else None


def _reader(field: serializers.Field) -> Reader:
    is_json = isinstance(field, serializers.JSONField) and type(field).to_representation in _AS_IT_IS
    return _json_reader(str(field.source)) if is_json and "." not in str(field.source) else _as_declared(field)


def _json_reader(column: str) -> Reader:
    name = text_of(column)

    def read(row: Record) -> object:
        text = row.__dict__.get(name)
        return getattr(row, column) if text is None else orjson.Fragment(text)

    return read


def _as_declared(field: serializers.Field) -> Reader:
    def read(row: Record) -> object:
        try:
            value = field.get_attribute(row)
        except SkipField:
            return None
        return None if value is None else field.to_representation(value)

    return read
