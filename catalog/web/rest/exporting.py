"""Whole lists as files, written while they are read: in order of their keys, so that one that broke off is resumed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Protocol
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.utils.urls import replace_query_param

from catalog.models import Record
from catalog.web.related import leave_out_hidden
from catalog.web.rest.parquet import ParquetTable
from catalog.web.rest.problems import Problem
from catalog.web.rest.rows import RowSerializer
from catalog.web.rest.tables import CsvTable, JsonLines, TableWriter, VOTable
from catalog.web.streamed import Streamed

# Rows that are in memory at once, and a group of a Parquet file.
_BLOCK = 5000
MOST_ROWS = 1_000_000
# Of one web process: each holds a thread and a connection to the database for as long as its reader takes.
_AT_ONCE = 4
_RETRY_AFTER_SECONDS = 30


@dataclass(frozen=True)
class Form:
    """A kind of file."""

    table: type[TableWriter]
    media_type: str


FORMS: Mapping[str, Form] = MappingProxyType(
    {
        "csv": Form(CsvTable, "text/csv; charset=utf-8"),
        "jsonl": Form(JsonLines, "application/jsonl"),
        "parquet": Form(ParquetTable, "application/vnd.apache.parquet"),
        "votable": Form(VOTable, "application/x-votable+xml"),
    }
)
PARAMETERS = frozenset({"format", "fields", "after", "rows"})
_DESCRIBED = [
    OpenApiParameter("format", {"type": "string", "enum": [*FORMS]}, description="Of the file; csv by default."),
    OpenApiParameter(
        "after", OpenApiTypes.UUID, description="Key of the last row that you have whole: the file begins after it."
    ),
    OpenApiParameter(
        "rows", {"type": "integer", "minimum": 1, "maximum": MOST_ROWS},
        description="No more than so many; `Link` then leads to the file that follows.",
    ),
]  # fmt: skip


class _List(Protocol):
    """What a list of `catalog.web.rest.views` has."""

    resource: ClassVar[str]
    request: Request

    def get_queryset(self) -> QuerySet[Record]: ...

    def filter_queryset(self, queryset: QuerySet[Record]) -> QuerySet[Record]: ...

    def get_serializer(self) -> RowSerializer: ...

    def cover(self, rows: Sequence[Record]) -> None: ...


class Exported:
    """A list that is had as one file too."""

    @extend_schema(
        parameters=_DESCRIBED,
        responses={(200, form.media_type.partition(";")[0]): OpenApiTypes.BINARY for form in FORMS.values()},
        filters=True,
    )
    @action(detail=False, pagination_class=None)
    def export(self: _List, request: Request) -> Streamed:
        """Write all that the filters leave, in the order of the keys, while it is read.

        What is added meanwhile is not in it. A file that broke off is resumed by `after`, or made in parts by `rows`.
        """
        name = request.query_params.get("format", "csv")
        form, most = FORMS[name], _rows_of(request)
        rows = self.filter_queryset(self.get_queryset()).order_by("pk")
        after = _after(request)
        left = rows if after is None else rows.filter(pk__gt=after)
        last = _last_of(left, most)
        if _TURNS.are_all_taken:
            raise Problem(
                503, "too_many_exports", "Others are exporting: try again in a moment.", wait=_RETRY_AFTER_SECONDS
            )
        parts = _made(self, left, last, form.table(self.get_serializer().fields))
        answer = Streamed(parts, content_type=form.media_type)
        answer["Content-Disposition"] = f'attachment; filename="{self.resource}.{name}"'
        if most is not None and last is not None and rows.filter(pk__gt=last).exists():
            answer["Link"] = f'<{replace_query_param(request.build_absolute_uri(), "after", last)}>; rel="next"'
        return answer


class _Turns:
    """How many files are being written now."""

    def __init__(self) -> None:
        self._lock, self._taken = threading.Lock(), 0

    @property
    def are_all_taken(self) -> bool:
        return self._taken >= _AT_ONCE

    @contextmanager
    def one(self) -> Iterator[None]:
        with self._lock:
            self._taken += 1
        try:
            yield
        finally:
            with self._lock:
                self._taken -= 1


_TURNS = _Turns()


def _made(view: _List, rows: QuerySet[Record], last: UUID | None, table: TableWriter) -> Iterator[bytes]:
    serializer = view.get_serializer()
    with _TURNS.one():
        yield table.begin()
        after: UUID | None = None
        while last is not None:
            left = rows.filter(pk__lte=last) if after is None else rows.filter(pk__gt=after, pk__lte=last)
            block = list(left[:_BLOCK])
            if not block:
                break
            after = block[-1].pk
            leave_out_hidden(block, view.request.user)
            view.cover(block)
            yield table.rows([serializer.to_representation(row) for row in block])
        yield table.end()


def _last_of(rows: QuerySet[Record], most: int | None) -> UUID | None:
    """Return the key of the last row that goes out; None where there is none."""
    if most is not None and (found := rows.values_list("pk", flat=True)[most - 1 : most]):
        return UUID(str(found[0]))
    return rows.reverse().values_list("pk", flat=True).first()


def _after(request: Request) -> UUID | None:
    text = request.query_params.get("after")
    try:
        return UUID(text) if text else None
    except ValueError as error:
        raise ValidationError({"after": ["Give the key of a row."]}) from error


def _rows_of(request: Request) -> int | None:
    text = request.query_params.get("rows")
    if text is None:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= 7 and 1 <= int(text) <= MOST_ROWS):
        raise ValidationError({"rows": [f"Give a whole number from 1 to {MOST_ROWS}."]})
    return int(text)
