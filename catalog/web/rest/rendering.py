"""Answers in the form that `format` chooses, and nothing else: JSON, or tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from catalog.web.rest import tables
from catalog.web.rest.parquet import ParquetTable
from catalog.web.rest.tables import CsvTable, TableWriter, as_json_bytes

FORMATS = ("json", "csv", "votable", "parquet")


class ByFormatParameter(DefaultContentNegotiation):
    """`?format=csv`; JSON where it is not given. What clients say that they accept is not looked at."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        wanted = request.query_params.get("format", FORMATS[0])
        offered = list(renderers)
        chosen = next((renderer for renderer in offered if renderer.format == wanted), offered[0])
        return chosen, chosen.media_type


class Json(BaseRenderer):
    """JSON, of keys and times as Python has them; what is JSON already (`orjson.Fragment`) goes out as it is."""

    media_type, format, charset = "application/json", "json", None

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, object] | None = None,
    ) -> bytes:
        return b"" if data is None else as_json_bytes(data)


class _Table(BaseRenderer):
    """A page of a list, or one row, as a table."""

    charset: str | None = None
    table: ClassVar[type[TableWriter]]

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        view = (renderer_context or {})["view"]
        rows = data["results"] if view.action == "list" else [data]
        table = self.table(view.get_serializer().fields)
        return table.begin() + table.rows(rows) + table.end()


class CSV(_Table):
    """For spreadsheets."""

    media_type, format, charset, table = "text/csv", "csv", "utf-8", CsvTable


class VOTable(_Table):
    """For the tools of astronomers."""

    media_type, format, table = "application/x-votable+xml", "votable", tables.VOTable


class Parquet(_Table):
    """For data frames and databases."""

    media_type, format, table = "application/vnd.apache.parquet", "parquet", ParquetTable
