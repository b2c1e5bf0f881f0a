"""A list page: narrowed by a filter, one page of it, and the address of what lies beside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from catalog.cursors import CursorRefused
from catalog.web.filters import ListFilter
from catalog.web.keyset import page_of

PAGE_SIZE = 50


def list_page(
    request: HttpRequest,
    filter_class: type[ListFilter],
    rows: QuerySet[Model],
    ordering: Sequence[str],
    *,
    size: int = PAGE_SIZE,
) -> dict[str, Any]:
    """Return `form`, its `controls`, `rows`, `page` of them, `query` and `is_narrowed` for a template.

    BadRequest for a cursor of another list.
    """
    narrowed = filter_class(request.GET, queryset=rows, request=request)
    try:
        page = page_of(narrowed.qs, ordering, request.GET.get("cursor", ""), size)
    except CursorRefused as refusal:
        raise BadRequest(str(refusal)) from refusal
    query = request.GET.copy()
    query.pop("cursor", None)
    return {
        "form": narrowed.form,
        "controls": narrowed.offered(),
        "rows": narrowed.qs,
        "page": page,
        "query": query.urlencode(),
        "is_narrowed": narrowed.is_narrowed,
    }
