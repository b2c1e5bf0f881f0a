"""Counts that stop: to know that there are more than a thousand is enough, and a large table is not read to its end."""

from __future__ import annotations

from django.db.models import Model, QuerySet

# More than this is said to be more, not counted.
MOST_COUNTED = 1000


def count_bounded(rows: QuerySet[Model, object], most: int | None = None) -> int:
    """Count rows, and stop one above the most that is told (`MOST_COUNTED`)."""
    return rows.order_by()[: (MOST_COUNTED if most is None else most) + 1].count()


def counted(count: int) -> str:
    """Return such a count as pages tell it: "more than 1000" above the most."""
    return f"more than {MOST_COUNTED}" if count > MOST_COUNTED else str(count)
