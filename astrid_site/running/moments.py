"""Times as they come from the database, read the short way: they are a third of what a list of rows costs."""

from __future__ import annotations

import datetime as dt

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.postgresql.psycopg_any import BaseTzLoader
from psycopg.abc import Buffer


class _Moment(BaseTzLoader):
    """`2026-11-30 06:26:12.123456+00`, in whatever zone; what is no ISO time goes to Django's own, which says so."""

    timezone = dt.UTC

    def load(self, data: Buffer) -> dt.datetime:
        try:
            return dt.datetime.fromisoformat(bytes(data).decode()).astimezone(dt.UTC)
        except (ValueError, OverflowError):
            found: dt.datetime = super().load(data)
            return found


def read_quickly(*, connection: BaseDatabaseWrapper, **_: object) -> None:
    """Let a new connection of Django's, whose times are in UTC, read them so."""
    if connection.vendor == "postgresql" and connection.timezone == _Moment.timezone:
        connection.connection.adapters.register_loader("timestamptz", _Moment)
