"""Pages of long lists by where the last one ended: as fast at a million rows as at a hundred, at any depth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Field, Model, Q, QuerySet

from catalog.cursors import CursorRefused, packed, unpacked

Row = TypeVar("Row")
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Some rows of a list, and the cursors of what lies beside them; None where nothing does."""

    rows: list[Row]
    next_cursor: str | None
    previous_cursor: str | None


@dataclass(frozen=True)
class _Column:
    name: str
    is_descending: bool
    field: Field[object, object]

    def after(self, value: object) -> Q:
        """Return what comes later than `value`; as in PostgreSQL, null is greater than everything."""
        if self.is_descending:
            return Q(**{f"{self.name}__isnull": False}) if value is None else Q(**{f"{self.name}__lt": value})
        if value is None:
            return Q(pk__in=[])
        return Q(**{f"{self.name}__gt": value}) | self._null()

    def at(self, value: object) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if value is None else Q(**{self.name: value})

    def from_on(self, value: object) -> Q:
        """Return `after` or `at` as one range, which an index can begin at."""
        if value is None:
            return Q() if self.is_descending else Q(**{f"{self.name}__isnull": True})
        if self.is_descending:
            return Q(**{f"{self.name}__lte": value})
        return Q(**{f"{self.name}__gte": value}) | self._null()

    def value_of(self, row: Model) -> object:
        value: object = row
        for part in self.name.split("__"):
            value = getattr(value, part)
        return value

    def _null(self) -> Q:
        return Q(**{f"{self.name}__isnull": True}) if self.field.null else Q()


def page_of(rows: QuerySet[M], ordering: Sequence[str], cursor: str, size: int) -> Page[M]:
    """Return the page at a cursor; "" is the first one.

    Parameters
    ----------
    rows : what the list holds; its own order is replaced.
    ordering : names of fields, "-" before what falls; the key is added where it is not the last.
    cursor : of an earlier page of the same list in the same order.
    size : rows of a page.

    Raises
    ------
    CursorRefused
        What was given is no cursor, or one of another order.
    """
    names = tuple(ordering)
    if names[-1].lstrip("-") not in ("id", "pk"):
        names = (*names, "id")
    is_backward, values = _read(cursor, names, rows.model)
    columns = [_column(rows.model, name, is_backward) for name in names]
    # A null that falls stands first, one that rises last: where PostgreSQL, and so its indexes, have them.
    found = rows.order_by(*(f"{'-' if column.is_descending else ''}{column.name}" for column in columns))
    if values is not None:
        found = found.filter(_beyond(columns, values))
    page = list(found[: size + 1])
    has_more, page = len(page) > size, page[:size]
    if is_backward:
        page.reverse()
    if not page:
        return Page([], None, None)
    first, last = ([column.value_of(row) for column in columns] for row in (page[0], page[-1]))
    has_next = is_backward or has_more
    has_previous = has_more if is_backward else values is not None
    return Page(
        page,
        _written("n", names, last) if has_next else None,
        _written("p", names, first) if has_previous else None,
    )


def _beyond(columns: list[_Column], values: list[object]) -> Q:
    pairs = list(zip(columns, values, strict=True))
    condition, same = Q(pk__in=[]), Q()
    for column, value in pairs:
        condition |= same & column.after(value)
        same &= column.at(value)
    return pairs[0][0].from_on(pairs[0][1]) & condition


def _column(model: type[Model], name: str, is_backward: bool) -> _Column:
    bare = name.removeprefix("-")
    return _Column(bare, name.startswith("-") != is_backward, _field(model, bare))


def _field(model: type[Model], name: str) -> Field[object, object]:
    *path, last = name.split("__")
    for part in path:
        model = model._meta.get_field(part).related_model  # type: ignore[assignment]
    try:
        return model._meta.pk if last == "pk" else model._meta.get_field(last)  # type: ignore[return-value]
    except FieldDoesNotExist as error:
        raise ValueError(f"A list cannot be ordered by {name}, which is no field.") from error


def _storable(value: object) -> object:
    """Return a value that the database can compare; ValueError for one that somebody made up."""
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise ValueError("no text that can be stored")
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time without its zone")
        return value.astimezone(UTC)
    return value


def _written(direction: str, names: tuple[str, ...], values: list[object]) -> str:
    # Times keep their microseconds as text, which Django's own encoder cuts.
    text = json.dumps([direction, ",".join(names), values], default=str, separators=(",", ":"))
    return packed(text)


def _read(cursor: str, names: tuple[str, ...], model: type[Model]) -> tuple[bool, list[object] | None]:
    """Return whether a cursor leads backward, and the values that it lies at."""
    if not cursor:
        return False, None
    refused = CursorRefused("This cursor does not belong to this list: start from its first page.")
    try:
        direction, ordering, values = json.loads(unpacked(cursor))
        if direction not in ("n", "p") or ordering != ",".join(names) or len(values) != len(names):
            raise refused
        pairs = zip(names, values, strict=True)
        return direction == "p", [
            _storable(_field(model, name.removeprefix("-")).to_python(value)) for name, value in pairs
        ]
    except (ValueError, TypeError, ValidationError, OverflowError, RecursionError) as error:
        raise refused from error
