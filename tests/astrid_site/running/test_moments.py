"""Times from the database are those that were put there, whatever they look like."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DataError, connection
from psycopg.pq import Format

from astrid_site.running.moments import _Moment

pytestmark = pytest.mark.django_db


def asked(text: str) -> dt.datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    "moment",
    [
        dt.datetime(2026, 11, 30, 6, 26, 12, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 30, 6, 26, 12, 120_000, tzinfo=dt.UTC),
        dt.datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=dt.UTC),
        dt.datetime(1, 1, 1, tzinfo=dt.UTC),
        dt.datetime(9999, 12, 31, 23, 59, 59, 1, tzinfo=dt.UTC),
    ],
)
def test_a_moment_comes_back_as_it_went_in_in_utc(moment):
    found = asked(moment.isoformat())
    assert found == moment and found.tzinfo is dt.UTC


def test_a_session_in_another_zone_means_the_same_moment():
    moment = dt.datetime(2026, 7, 1, 1, 30, tzinfo=dt.UTC)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL TIME ZONE 'Asia/Kathmandu'")
        cursor.execute("SELECT %s::timestamptz", [moment.isoformat()])
        assert cursor.fetchone()[0] == moment


@pytest.mark.parametrize("text", ["infinity", "44-03-15 12:00:00 BC", "12000-01-01"])
def test_what_python_cannot_hold_is_refused_as_before(text):
    with pytest.raises(DataError):
        asked(text)


def test_connections_read_times_so():
    with connection.cursor() as cursor:
        kind = cursor.adapters.types["timestamptz"].oid
        assert cursor.adapters.get_loader(kind, Format.TEXT) is _Moment
