"""Deletes rows of tables of millions in the database itself: nothing of them comes into memory but their keys."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

from django.db import connection

from catalog.retention.rules import RowRule

# Rows that are looked at by one statement: of these at most all go, in one transaction of well under a second.
_AT_ONCE = 5000


def delete_rows(rule: RowRule, after: UUID, before: dt.datetime) -> tuple[int, UUID | None]:
    """Delete old rows among the next ones, with what belongs to them; call it in a transaction.

    Returns how many went, and the last key that was looked at, None at the end of the table.
    """
    doomed = f"""
        SELECT line.id FROM {rule.table} line {rule.joins}
        WHERE line.id > %s AND line.id <= %s AND {rule.only} AND {rule.written_at} < %s AND NOT ({rule.stays})
        ORDER BY line.id FOR UPDATE OF line SKIP LOCKED
    """  # noqa: S608
    window = end_of_window(rule.table, after, _AT_ONCE)
    with connection.cursor() as cursor:
        cursor.execute(doomed, [after, window or UUID(int=2**128 - 1), before])
        keys = [row[0] for row in cursor.fetchall()]
        if keys:
            for table, column in (*rule.children, (rule.table, "id")):
                cursor.execute(f"DELETE FROM {table} WHERE {column} = ANY(%s)", [keys])  # noqa: S608
    return len(keys), window


def end_of_window(table: str, after: UUID, rows: int) -> UUID | None:
    """Return the key that lies so many rows further; None where the table has no more than these."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT id FROM {table} WHERE id > %s ORDER BY id OFFSET %s LIMIT 1",  # noqa: S608
            [after, rows - 1],
        )
        found = cursor.fetchone()
    return None if found is None else found[0]
