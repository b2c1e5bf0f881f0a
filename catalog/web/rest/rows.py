"""Rows as clients have them: the fields of a model, read the shortest way, for lists go out by the thousand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from operator import attrgetter
from typing import Any

import orjson
from rest_framework import serializers
from rest_framework.fields import SkipField

from catalog.models import Record

Reader = Callable[[Any], object]

# What these make of a value, the renderers make of it too: see `rendering.Json`.
_AS_IT_IS = {
    kind.to_representation
    for kind in (
        serializers.BooleanField, serializers.CharField, serializers.ChoiceField, serializers.DateField,
        serializers.DateTimeField, serializers.FloatField, serializers.IntegerField, serializers.JSONField,
        serializers.UUIDField,
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
        return {name: read(instance) for name, read in self._readers}

    @cached_property
    def _readers(self) -> list[tuple[str, Reader]]:
        return [(name, _reader(field)) for name, field in self.fields.items() if not field.write_only]


def text_of(column: str) -> str:
    """Return under which name a row has the text of a column of JSON."""
    return f"{column}_as_text"


def _reader(field: serializers.Field) -> Reader:
    is_plain = field.source not in (None, "*") and "." not in str(field.source)
    if is_plain and type(field) is serializers.PrimaryKeyRelatedField:
        return attrgetter(f"{field.source}_id")
    if not is_plain or type(field).to_representation not in _AS_IT_IS:
        return _as_declared(field)
    if isinstance(field, serializers.JSONField):
        return _json_reader(str(field.source))
    return attrgetter(str(field.source))


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
