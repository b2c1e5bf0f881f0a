"""Answers as tables: CSV for spreadsheets, VOTable for the tools of astronomers. `format` chooses, nothing else."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from astropy.io.votable import from_table
from astropy.table import MaskedColumn, Table
from rest_framework import serializers
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

FORMATS = ("json", "csv", "votable")
# What a spreadsheet would carry out as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")
# What XML cannot hold.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_UCDS = {"id": "meta.id;meta.main", "ra": "pos.eq.ra;meta.main", "dec": "pos.eq.dec;meta.main"}
_UNITS = {"ra": "deg", "dec": "deg"}
_KEY_LENGTH = 36

Fields = Mapping[str, serializers.Field[Any, Any, Any, Any]]


class ByFormatParameter(DefaultContentNegotiation):
    """`?format=csv`; JSON where it is not given. What clients say that they accept is not looked at."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format", FORMATS[0])
        offered = list(renderers)
        chosen = next((renderer for renderer in offered if renderer.format == wanted), offered[0])
        return chosen, chosen.media_type


class CSV(BaseRenderer):
    """One line for each row, under a line of names; what is nested is JSON in its cell."""

    media_type, format, charset = "text/csv", "csv", "utf-8"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        names, rows = _table(data, renderer_context)
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        writer.writerow(names)
        writer.writerows([_cell(row[name]) for name in names] for row in rows)
        return buffer.getvalue().encode()


class VOTable(BaseRenderer):
    """The table of the Virtual Observatory."""

    media_type, format, charset = "application/x-votable+xml", "votable", None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        fields, rows = _table(data, renderer_context)
        table = Table([_column(name, field, rows) for name, field in fields.items()])
        votable = from_table(table)
        votable.resources[0].type = "results"
        for column in votable.get_first_table().fields:
            column.ucd = _UCDS.get(column.name)
        buffer = io.BytesIO()
        votable.to_xml(buffer, tabledata_format="tabledata")
        return buffer.getvalue()


def _table(data: Any, context: Mapping[str, Any] | None) -> tuple[Fields, list[Mapping[str, Any]]]:
    """Return the columns and the rows of an answer: a page of a list, or one row."""
    view = (context or {})["view"]
    rows = data["results"] if view.action == "list" else [data]
    return view.get_serializer_class()().fields, rows


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _column(name: str, field: Any, rows: Sequence[Mapping[str, Any]]) -> MaskedColumn:
    values = [row[name] for row in rows]
    missing = [value is None for value in values]
    kind, filler = _kind(field)
    filled = [filler if value is None else value for value in values]
    if kind.startswith(("S", "U")):
        filled = [_text(value) for value in filled]
        kind = kind if kind != "U" else f"U{max(map(len, filled), default=1) or 1}"
    return MaskedColumn(
        np.array(filled, dtype=kind),
        name=name,
        mask=missing,
        unit=_UNITS.get(name),
        description=str(field.help_text or "") or None,
    )


def _kind(field: Any) -> tuple[str, Any]:
    """Return the type of a column and what stands for a missing value in it."""
    if isinstance(field, serializers.FloatField):
        return "f8", math.nan
    if isinstance(field, serializers.IntegerField):
        return "i8", 0
    if isinstance(field, serializers.BooleanField):
        return "?", False
    if isinstance(field, serializers.UUIDField | serializers.PrimaryKeyRelatedField):
        return f"S{_KEY_LENGTH}", ""
    return "U", ""


def _text(value: Any) -> str:
    text = json.dumps(value) if isinstance(value, dict | list) else str(value)
    return _NOT_XML.sub("", text)
