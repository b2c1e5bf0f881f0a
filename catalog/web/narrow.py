"""Lists narrowed to rows that are found another way than the list is ordered: by their place in the sky."""

from __future__ import annotations

from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, F, Func, QuerySet

# Rows that are looked up one by one in the time that a page may take.
_FEW = 5000


class _IsAmong(Func):
    template, arg_joiner = "%(expressions)s)", " = ANY("
    output_field = BooleanField()


def within(rows: QuerySet[Any], chosen: QuerySet[Any]) -> QuerySet[Any]:
    """Return those of `rows` that are among `chosen`, rows of the same model.

    Where these are few they are gathered first, and looked up by their keys. The planner left to itself expects them to
    lie everywhere in the order of the list, and reads all of it when they lie at its end. Where they are many, the
    order of the list soon meets enough of them.
    """
    keys = chosen.order_by().values("pk")
    if keys[: _FEW + 1].count() > _FEW:
        return rows.filter(pk__in=keys)
    return rows.filter(_IsAmong(F("pk"), ArraySubquery(keys)))
