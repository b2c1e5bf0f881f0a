"""The audit log as a file: every column of every line, with its place in the chain, a page at a time."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType

from django.core.serializers.json import DjangoJSONEncoder
from django.db.models import Q, QuerySet

from catalog.cells import defused
from catalog.chain.content import FIELDS
from catalog.models import AuditLog, AuditSeal

FORMATS: Mapping[str, str] = MappingProxyType({"csv": "text/csv", "jsonl": "application/x-ndjson"})
_AT_ONCE = 2000
_OF_SEAL = ("position", "digest", "hash")
NAMES = (*FIELDS, *_OF_SEAL)

Row = tuple[object, ...]


def exported(rows: QuerySet[AuditLog], kind: str) -> Iterator[str]:
    """Return the text of a file, part by part: lines by their time, the oldest first; `kind` is one of FORMATS."""
    if kind == "csv":
        yield _csv([NAMES])
    for page in _pages(rows):
        yield _csv(page) if kind == "csv" else "".join(f"{_json(row)}\n" for row in page)


def _pages(rows: QuerySet[AuditLog]) -> Iterator[list[Row]]:
    """Return lines with their seals; each page begins after the last line of the one before, however long it took."""
    found = rows.order_by("created_at", "id").values_list(*FIELDS)
    after = Q()
    while True:
        page = list(found.filter(after)[:_AT_ONCE])
        if page:
            yield list(_with_seals(page))
        if len(page) < _AT_ONCE:
            return
        key, time = page[-1][:2]
        after = Q(created_at__gte=time) & (Q(created_at__gt=time) | Q(id__gt=key))


def _with_seals(page: list[Row]) -> Iterator[Row]:
    found = AuditSeal.objects.filter(pk__in=[str(row[0]) for row in page])
    seals = {seal[0]: seal[1:] for seal in found.values_list("pk", *_OF_SEAL)}
    for row in page:
        yield (*row, *seals.get(row[0], (None,) * len(_OF_SEAL)))


def _csv(rows: Iterable[Row]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return text.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, dict | list):
        value = json.dumps(value, cls=DjangoJSONEncoder, ensure_ascii=False)
    plain = _plain(value)
    return defused(plain) if isinstance(plain, str) else plain


def _json(row: Row) -> str:
    named = {name: _plain(value) for name, value in zip(NAMES, row, strict=True)}
    return json.dumps(named, cls=DjangoJSONEncoder, ensure_ascii=False)


def _plain(value: object) -> object:
    # To the microsecond, as it is sealed.
    return value.astimezone(dt.UTC).isoformat(timespec="microseconds") if isinstance(value, dt.datetime) else value
