"""Rows as tables, written as they come: CSV, VOTable, Parquet, and JSON by lines."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Mapping, Sequence
from typing import Protocol
from uuid import UUID

import orjson
from rest_framework.utils.encoders import JSONEncoder

from catalog.cells import defused
from catalog.web.rest import votable
from catalog.web.rest.votable import Fields

Row = Mapping[str, object]


class _Encoder(JSONEncoder):
    def default(self, obj: object) -> object:
        return json.loads(obj.contents) if isinstance(obj, orjson.Fragment) else super().default(obj)


_ENCODER = _Encoder()


def as_json_bytes(data: object) -> bytes:
    """Return data as JSON: times in UTC with a Z, numbers that are none as null."""
    try:
        return orjson.dumps(data, default=_ENCODER.default, option=orjson.OPT_UTC_Z)
    except orjson.JSONEncodeError:
        # Keys that are no texts, and whole numbers beyond 64 bits.
        return json.dumps(data, cls=_Encoder, ensure_ascii=False, separators=(",", ":")).encode()


class TableWriter(Protocol):
    """Writes a table from its beginning to its end; each part is what can be sent then, which may be nothing."""

    def __init__(self, fields: Fields) -> None: ...

    def begin(self) -> bytes: ...

    def rows(self, rows: Sequence[Row]) -> bytes: ...

    def end(self) -> bytes: ...


class CsvTable:
    """One line for each row, under a line of names; what is nested is JSON in its cell."""

    def __init__(self, fields: Fields) -> None:
        self._names = list(fields)

    def begin(self) -> bytes:
        return _lines([self._names])

    def rows(self, rows: Sequence[Row]) -> bytes:
        return _lines([[_cell(told(row[name])) for name in self._names] for row in rows])

    def end(self) -> bytes:
        return b""


class VOTable:
    """The table of the Virtual Observatory."""

    def __init__(self, fields: Fields) -> None:
        self._fields = fields

    def begin(self) -> bytes:
        return votable.head(self._fields).encode()

    def rows(self, rows: Sequence[Row]) -> bytes:
        return votable.body(self._fields, [{name: told(value) for name, value in row.items()} for row in rows]).encode()

    def end(self) -> bytes:
        return votable.tail().encode()


class JsonLines:
    """One object for each row, each on a line of its own."""

    def __init__(self, fields: Fields) -> None:
        pass

    def begin(self) -> bytes:
        return b""

    def rows(self, rows: Sequence[Row]) -> bytes:
        return b"".join(as_json_bytes(row) + b"\n" for row in rows)

    def end(self) -> bytes:
        return b""


def told(value: object) -> object:
    """Return keys and times as the texts that they are in JSON."""
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dt.datetime):
        return value.isoformat().replace("+00:00", "Z")
    return value.isoformat() if isinstance(value, dt.date) else value


def _lines(cells: Sequence[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows(cells)
    return buffer.getvalue().encode()


def _cell(value: object) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = json.dumps(value, cls=JSONEncoder) if isinstance(value, dict | list) else str(value)
    return defused(text)
