"""The clock that the rows go by."""

from __future__ import annotations

import datetime as dt

from django.db import connection


def database_time() -> dt.datetime:
    """Return what the database's clock says now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: dt.datetime = cursor.fetchone()[0]
    return moment
