"""What clients send in, taken as JSON's own types: a number is no text, and "no" is no false."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.exceptions import ValidationError


class Text(serializers.CharField):
    """A text, kept as it was written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


class Number(serializers.FloatField):
    """A finite number; in a form it is written as one."""

    def to_internal_value(self, data: Any) -> float:
        number = float("nan") if isinstance(data, bool) else super().to_internal_value(data)
        if not math.isfinite(number):
            self.fail("invalid")
        return float(number)


class Flag(serializers.BooleanField):
    """true or false."""

    def to_internal_value(self, data: object) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return bool(data)


class Key(serializers.UUIDField):
    """A UUID with its hyphens."""

    def to_internal_value(self, data: object) -> UUID:
        if not isinstance(data, str) or len(data) != len("00000000-0000-0000-0000-000000000000"):
            self.fail("invalid", value=data)
        return super().to_internal_value(data)


class RowKey(serializers.UUIDField):
    """Answered, not sent: the key of a row of a list, where no relation of a model says which list."""

    def __init__(self, resource: str, **options: Any) -> None:
        super().__init__(read_only=True, **options)
        self.resource = resource


class Choice(serializers.ChoiceField):
    """One of some words."""

    def to_internal_value(self, data: object) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Input(serializers.Serializer[object]):
    """What a client sends: a field that there is not is told, for it may be misspelt."""

    def to_internal_value(self, data: object) -> object:
        if isinstance(data, Mapping):
            unknown = sorted(str(name) for name in data if name not in self.fields)
            if unknown:
                raise ValidationError({name: ["There is no such field."] for name in unknown})
        return super().to_internal_value(data)
