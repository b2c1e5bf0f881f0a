"""Lists that a link narrowed to the rows of another row say so: otherwise they would pass for whole."""

from __future__ import annotations

from django.contrib.admin.views.main import IGNORED_PARAMS, PAGE_VAR
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model
from django.http import HttpRequest

from catalog.models import RecordQuerySet

_OF_KEY = "__id__exact"


def narrowed_to(model: type[Model], request: HttpRequest, by_filters: set[str]) -> list[str]:
    """Return in words what the address narrows a list by, beside its filters."""
    names = [
        name for name in request.GET if name not in by_filters and name not in (*IGNORED_PARAMS, PAGE_VAR, "_facets")
    ]
    return [_in_words(model, name, request) for name in names]


def _in_words(model: type[Model], name: str, request: HttpRequest) -> str:
    value = request.GET[name]
    if not name.endswith(_OF_KEY):
        return f"{name.replace('__', ' ').replace('_', ' ')} {value}"
    kind = model
    try:
        for step in name.removesuffix(_OF_KEY).split("__"):
            related = kind._meta.get_field(step).related_model
            if related is None:
                raise FieldDoesNotExist(step)
            kind = related
        rows = kind._default_manager.filter(pk=value)
        row = (rows.not_hidden_from(request.user) if isinstance(rows, RecordQuerySet) else rows).first()
    except (FieldDoesNotExist, ValidationError, ValueError):
        row = None
    return f"of {kind._meta.verbose_name} {row or value}"
