"""The bases of every address for clients: rows are listed and read, and what is misspelt is refused first."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, ClassVar, cast

import django_filters
from django.db.models import TextField
from django.db.models.functions import Cast
from django.http import HttpResponse
from django.utils.http import parse_etags, quote_etag
from rest_framework import mixins
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, ListSerializer, Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from catalog.models import Record, User
from catalog.web.related import leave_out_hidden
from catalog.web.rest import exporting
from catalog.web.rest.exporting import Exported
from catalog.web.rest.paging import NEWEST_FIRST, PARAMETERS
from catalog.web.rest.rendering import FORMATS, Json
from catalog.web.rest.rows import text_of
from catalog.web.rest.schema import MAY_BE_EMPTY


class StrictAPIView(APIView):
    """Refuses a parameter that there is not: one that is misspelt must not show everything."""

    http_method_names = ["get", "head", "post"]
    cache_control: ClassVar[str] = "private, no-cache"

    @property
    def default_response_headers(self) -> dict[str, str]:
        return {
            "Allow": ", ".join(self.allowed_methods),
            "Vary": "Authorization, Cookie",
            "Cache-Control": self.cache_control,
        }

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        super().initial(request, *args, **kwargs)
        # What is not served at all is refused for that.
        if hasattr(self, str(request.method).lower()):
            _refuse_unknown(request, self.parameters(), self.forms())

    def parameters(self) -> frozenset[str]:
        """Return the names of what may stand behind the question mark."""
        return frozenset()

    def forms(self) -> Collection[str]:
        """Return what `format` may be."""
        return FORMATS


class ResourceViewSet(StrictAPIView, GenericViewSet[Any]):
    """One kind of thing under its name, which the scopes of tokens have as well."""

    resource: ClassVar[str]
    lookup_value_converter = "uuid"
    orderings: ClassVar[Mapping[str, tuple[str, ...]]] = NEWEST_FIRST
    filterset_class: ClassVar[type[django_filters.FilterSet] | None] = None
    # Columns of JSON that nobody reads on their way from the database into an answer that is JSON.
    json_columns: ClassVar[tuple[str, ...]] = ()

    def get_queryset(self) -> Any:
        rows: Any = super().get_queryset()
        return rows.visible_to(self.request.user)

    def get_object(self) -> Any:
        row = super().get_object()
        leave_out_hidden([row], self.request.user)
        self.cover([row])
        return row

    def get_serializer(self, *args: object, **kwargs: object) -> BaseSerializer[Any]:
        """Return the serializer with the fields that are asked for, all of them where none are named."""
        serializer = super().get_serializer(*args, **kwargs)
        of_row = serializer.child if isinstance(serializer, ListSerializer) else serializer
        if not isinstance(of_row, Serializer):
            raise TypeError(of_row)
        wanted = self.wanted()
        if unknown := sorted(wanted - of_row.fields.keys()):
            known = ", ".join(of_row.fields)
            raise ValidationError({"fields": [f"There is no field {', '.join(unknown)}. There are: {known}."]})
        for name in of_row.fields.keys() - wanted if wanted else ():
            del of_row.fields[name]
        return serializer

    def wanted(self) -> set[str]:
        """Return the names of the fields that are asked for; none where all are."""
        return set(filter(None, self.request.query_params.get("fields", "").split(",")))

    def paginate_queryset(self, queryset: Any) -> Any:
        if self.json_columns and self.request.query_params.get("format", FORMATS[0]) == FORMATS[0]:
            wanted = self.wanted() or set(self.json_columns)
            texts = {text_of(name): Cast(name, TextField()) for name in self.json_columns if name in wanted}
            queryset = queryset.defer(*self.json_columns).annotate(**texts)
        rows = super().paginate_queryset(queryset)
        leave_out_hidden(rows or [], self.request.user)
        self.cover(rows or [])
        return rows

    def cover(self, rows: Sequence[Any]) -> None:
        """Take out of rows, which are shown and never saved, what this person may not see."""

    def get_renderers(self) -> list[BaseRenderer]:
        """Tables are for what is read."""
        return super().get_renderers() if self.action in ("list", "retrieve") else [Json()]

    def parameters(self) -> frozenset[str]:
        filters = frozenset(self.filterset_class.base_filters if self.filterset_class else ())
        if self.action == "list":
            return PARAMETERS | {"format", "fields"} | filters
        if self.action == "export":
            return exporting.PARAMETERS | filters
        return frozenset({"format", "fields"} if self.action == "retrieve" else ())

    def forms(self) -> Collection[str]:
        return exporting.FORMS if self.action == "export" else super().forms()

    def finalize_response(self, request: Request, response: Response, *args: object, **kwargs: object) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(final, Response) and request.method in ("GET", "HEAD") and final.status_code == 200:
            final.add_post_render_callback(_unless_known(request))
        return final


class RowViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, Exported, ResourceViewSet):
    """Rows of one model."""

    def retrieve(self, request: Request, *args: object, **kwargs: object) -> Response:
        row: Record = self.get_object()
        return Response(self.get_serializer(row).data, headers={"ETag": self.etag_of(row)})

    def etag_of(self, row: Record) -> str:
        """Return what changes with the row, and is another one for another form of it."""
        form = self.request.query_params.get("format", FORMATS[0])
        told = [row.revision, *([form] if form != FORMATS[0] else ()), *sorted(self.wanted())]
        return quote_etag("-".join(told))


def _refuse_unknown(request: Request, known: frozenset[str], forms: Collection[str]) -> None:
    errors: dict[str, list[str]] = {}
    for name, values in request.query_params.lists():
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            errors[name] = [f"There is no such parameter here. There are: {names}."]
        elif len(values) > 1:
            errors[name] = ["Give it once."]
        elif not values[0] and name not in MAY_BE_EMPTY:
            errors[name] = ["Give a value, or leave it out."]
    if not errors and request.query_params.get("format") not in (None, *forms):
        errors["format"] = [f"Choose one of {', '.join(forms)}."]
    if errors:
        raise ValidationError(errors)


def tags_known(request: Request) -> set[str]:
    """Return what the client has already, by `If-None-Match`."""
    return {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}


def person_of(request: Request) -> User:
    """Return who asks; permissions have let nobody in who has no account."""
    return cast(User, request.user)


def _unless_known(request: Request) -> Callable[[HttpResponse], HttpResponse | None]:
    """Return what answers 304 instead, where the client has this already."""
    known = tags_known(request)

    def check(response: HttpResponse) -> HttpResponse | None:
        if not response.has_header("ETag"):
            response["ETag"] = quote_etag(hashlib.sha256(response.content).hexdigest()[:32])
        if not known & {"*", response["ETag"]}:
            return None
        kept = {name: response[name] for name in ("ETag", "Cache-Control", "Vary", "Link") if response.has_header(name)}
        return HttpResponse(status=304, headers=kept)

    return check
