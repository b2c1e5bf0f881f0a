"""Frozen classes as JSON: written, read back whoever wrote it, and described for clients, all by their annotations."""

from __future__ import annotations

import dataclasses
import math
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Annotated, TypeVar, Union, get_args, get_origin
from uuid import UUID

T = TypeVar("T")
_NOTHING = type(None)


@dataclass(frozen=True)
class KeyOf:
    """Marks an annotation: the key of a row of this list for clients."""

    resource: str


@dataclass(frozen=True)
class JsonOf:
    """Marks an annotation: JSON that was made from this class, perhaps by a former version of it."""

    kind: type


class Misfit(ValueError):
    """What is stored is not what the annotation says."""


def as_json(value: object) -> object:
    """Return an object of a frozen class, or whatever stands in one, as JSON holds it."""
    if dataclasses.is_dataclass(value):
        return {entry.name: as_json(getattr(value, entry.name)) for entry in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): as_json(entry) for name, entry in value.items()}
    if isinstance(value, tuple | list):
        return [as_json(entry) for entry in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value


def read_as(kind: type[T], stored: object) -> T:
    """Return an object of a frozen class from JSON that anybody may have written.

    What is missing or of another type becomes None, or empty; entries of lists that do not fit are left out. Raises
    Misfit where the annotation allows for neither.
    """
    given = stored if isinstance(stored, Mapping) else {}
    hints = typing.get_type_hints(kind, include_extras=True)
    return kind(**{name: _or_empty(hint, given.get(name)) for name, hint in hints.items()})


def schema_of(hint: object) -> dict[str, object]:
    """Return what OpenAPI 3.0 says of an annotation. Words of an enum are told, not bound: later versions have more."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        (mark,) = args[1:]
        return schema_of(mark.kind) if isinstance(mark, JsonOf) else {**schema_of(args[0]), "x-resource": mark.resource}
    if origin in (Union, types.UnionType):
        (one,) = (arg for arg in args if arg is not _NOTHING)
        return {**schema_of(one), "nullable": True}
    if origin is tuple:
        return {"type": "array", "items": schema_of(args[0])}
    if origin is not None:
        return {"type": "object", "additionalProperties": schema_of(args[1])}
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint, include_extras=True)
        return {"type": "object", "properties": {name: schema_of(entry) for name, entry in hints.items()}}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "description": f"One of {', '.join(repr(word.value) for word in hint)}."}
    return dict(_SCALARS[hint])


_SCALARS: Mapping[object, Mapping[str, object]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number", "format": "double"},
    UUID: {"type": "string", "format": "uuid"},
    datetime: {"type": "string", "format": "date-time"},
    object: {},
}


def _or_empty(hint: object, value: object) -> object:
    try:
        return _read(hint, value)
    except Misfit:
        bare = get_args(hint)[0] if get_origin(hint) is Annotated else hint
        if _NOTHING in get_args(bare):
            return None
        if get_origin(bare) is tuple:
            return ()
        if get_origin(bare) is not None:
            return {}
        raise


def _read(hint: object, value: object) -> object:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _read(args[0], value)
    if origin in (Union, types.UnionType):
        (one,) = (arg for arg in args if arg is not _NOTHING)
        return None if value is None else _read(one, value)
    if origin is tuple and isinstance(value, list):
        return tuple(entry for (entry,) in _fitting([args[0]], ([entry] for entry in value)))
    if origin not in (None, tuple) and isinstance(value, Mapping):
        return {row[0]: row[1] for row in _fitting(args, value.items())}
    if isinstance(hint, type) and dataclasses.is_dataclass(hint) and isinstance(value, Mapping):
        return read_as(hint, value)
    return _scalar(hint, value)


def _fitting(hints: Sequence[object], rows: Iterable[Iterable[object]]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of which every value fits."""
    for row in rows:
        try:
            found = tuple(_read(hint, value) for hint, value in zip(hints, row, strict=True))
        except Misfit:
            continue
        yield found


def _scalar(hint: object, value: object) -> object:
    """Return one value: a number is no text, and `true` is no number."""
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    if hint in (str, int, bool) and type(value) is hint:
        return value
    from_text: Callable[[str], object] | None = datetime.fromisoformat if hint is datetime else None
    if isinstance(hint, type) and issubclass(hint, UUID | Enum):
        from_text = hint
    if from_text is None or not isinstance(value, str):
        raise Misfit
    try:
        return from_text(value)
    except ValueError as error:
        raise Misfit from error
