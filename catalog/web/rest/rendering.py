"""Answers as tables: CSV for spreadsheets, VOTable for the tools of astronomers. `format` chooses, nothing else."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping
from typing import Any

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from catalog.web.rest.votable import Fields, votable

FORMATS = ("json", "csv", "votable")
# What a spreadsheet would carry out as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


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
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
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
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> bytes:
        return votable(*_table(data, renderer_context))


def _table(data: Any, context: Mapping[str, Any] | None) -> tuple[Fields, list[Mapping[str, object]]]:
    """Return the columns and the rows of an answer: a page of a list, or one row."""
    view = (context or {})["view"]
    rows = data["results"] if view.action == "list" else [data]
    return view.get_serializer_class()().fields, rows


def _cell(value: object) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = json.dumps(value, cls=JSONEncoder) if isinstance(value, dict | list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
