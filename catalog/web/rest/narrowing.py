"""How lists for clients come to their filters, and what is said of values that cannot be read."""

from __future__ import annotations

from typing import TypeVar

from django.db.models import QuerySet
from django.forms.utils import ErrorDict
from django_filters import rest_framework
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.views import APIView

from catalog.models import Record

Rows = TypeVar("Rows", bound=QuerySet[Record])


class Narrowing(rest_framework.DjangoFilterBackend):
    """Lists for clients are narrowed by what is asked: an empty form takes as long to read as a page of rows."""

    def filter_queryset(self, request: Request, queryset: Rows, view: APIView) -> Rows:
        kind = self.get_filterset_class(view, queryset)
        if kind is None or not kind.base_filters.keys() & request.query_params.keys():
            return queryset
        narrowed = self.get_filterset(request, queryset, view)
        if not narrowed.is_valid():
            raise refusal_of(narrowed.errors)
        rows: Rows = narrowed.qs
        return rows


def refusal_of(errors: ErrorDict) -> ValidationError:
    """Return what a form says against its values, for clients; sentences may hold what was sent, signs of % too."""
    return ValidationError(
        {
            name: [ErrorDetail(sentence, one.code) for one in found for sentence in one.messages]
            for name, found in errors.as_data().items()
        }
    )
