"""Pages of lists by cursor, in an order that an index carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from catalog.cursors import CursorRefused
from catalog.web.filters import NOT_FOUND
from catalog.web.keyset import Page, page_of

PAGE_SIZE, MOST = 100, 1000
# As the document of the interface says it: what only this site can write, or nothing for the beginning.
CURSOR: dict[str, object] = {"type": "string", "pattern": "^[A-Za-z0-9_-]*$"}
PARAMETERS = frozenset({"cursor", "page_size", "ordering"})
# By what a client asks for: the columns. Keys are ordered by the time of their making.
NEWEST_FIRST: Mapping[str, tuple[str, ...]] = {"-id": ("-id",), "id": ("id",)}
# For who keeps a copy of a list: what changed after they looked last comes after it.
OLDEST_CHANGE_FIRST: Mapping[str, tuple[str, ...]] = {"updated_at": ("updated_at", "id")}


def page_size_of(request: Request) -> int:
    """Return how many rows a client wants at once."""
    text = request.query_params.get("page_size", str(PAGE_SIZE))
    if not (text.isascii() and text.isdecimal() and len(text) <= 4 and 1 <= int(text) <= MOST):
        raise ValidationError({"page_size": [f"Give a whole number from 1 to {MOST}."]})
    return int(text)


class KeysetPagination(BasePagination):
    """`results`, and the whole addresses of what lies beside them."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        orderings: Mapping[str, tuple[str, ...]] = view.orderings
        name = request.query_params.get("ordering", next(iter(orderings)))
        if name not in orderings:
            raise ValidationError({"ordering": [f"Choose one of {', '.join(orderings)}."]})
        try:
            page = page_of(queryset, orderings[name], request.query_params.get("cursor", ""), page_size_of(request))
        except CursorRefused as refusal:
            raise ValidationError({"cursor": [str(refusal)]}, NOT_FOUND) from refusal
        self._page, self._request = page, request
        return page.rows

    def get_paginated_response(self, data: object) -> Response:
        return paged(self._request, self._page, data)

    def get_paginated_response_schema(self, schema: dict[str, object]) -> dict[str, object]:
        beside = {"type": "string", "format": "uri", "nullable": True}
        return {
            "type": "object",
            "required": ["results", "next", "previous"],
            "properties": {"results": schema, "next": beside, "previous": beside},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, object]]:
        return [
            _parameter("cursor", "The `next` or `previous` of an earlier response.", CURSOR),
            _parameter(
                "page_size",
                f"Rows per page; {PAGE_SIZE} by default.",
                {"type": "integer", "minimum": 1, "maximum": MOST},
            ),
            _parameter(
                "ordering",
                "Order of the rows; the first is the default.",
                {"type": "string", "enum": [*view.orderings]},
            ),
        ]


def paged(request: Request, page: Page, data: object) -> Response:
    """Return an answer of one page, with its neighbours' addresses also in `Link`, for formats without a place."""
    here = request.build_absolute_uri()
    beside = {
        name: replace_query_param(here, "cursor", cursor) if cursor else None
        for name, cursor in (("next", page.next_cursor), ("previous", page.previous_cursor))
    }
    links = [f'<{url}>; rel="{name.removesuffix("ious")}"' for name, url in beside.items() if url]
    return Response({"results": data, **beside}, headers={"Link": ", ".join(links)} if links else None)


def _parameter(name: str, description: str, schema: dict[str, object]) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}
