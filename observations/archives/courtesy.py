"""Courtesy towards servers: a pause between requests, and rest for those that fail or ask for it.

What is known of a server stands in one row, by the database's clock, for all processes of all machines.
"""

from __future__ import annotations

import datetime as dt
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.db import connection, transaction

from catalog.configuration.values import snapshot
from catalog.files.outgoing import DownloadFailed
from catalog.work import jobs
from observations.models import ArchiveHost

# A server that fails is asked again after so long, twice as long each time, give or take a quarter.
_FIRST_REST_S, _LONGEST_REST_S = 30.0, 6 * 3600.0
_JITTER = (0.75, 1.25)
_MOMENT_S = 0.25
# Codes of HTTP that say nothing of one file but of the server.
_OF_SERVER = frozenset({0, 408, 425, 429, 500, 502, 503, 504})


class HostRests(DownloadFailed):
    """A server was not asked: it is left alone for a while."""


def host_of(url: str) -> str:
    """Return the host of an address, with its port where that is not the usual one."""
    parts = urlsplit(url)
    return f"{parts.hostname or ''}:{parts.port}" if parts.port else parts.hostname or ""


def database_now() -> dt.datetime:
    """Return the time of the database, also amid a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        found: dt.datetime = cursor.fetchone()[0]
    return found


def wait_for_turn(host: str) -> None:
    """Return when a server may be asked. Raises HostRests while it rests, also where that began meanwhile."""
    while (left_s := _take_turn(host)) > 0:
        end = time.monotonic() + left_s
        while (left := end - time.monotonic()) > 0:
            jobs.check()
            time.sleep(min(left, _MOMENT_S))


@transaction.atomic
def _take_turn(host: str) -> float:
    """Return 0 with the turn taken, else after how many seconds to try again.

    It is taken at the moment of asking: were it reserved, who slept too long would ask together with the next.
    """
    ArchiveHost.objects.get_or_create(name=host, defaults={"free_at": database_now()})
    row = ArchiveHost.objects.select_for_update().get(name=host)
    now = database_now()
    if row.resting_until is not None and row.resting_until > now:
        rest_s = (row.resting_until - now).total_seconds()
        sentence = f"{host} is left alone for another {rest_s:.0f} s. {row.reason}".strip()
        raise HostRests(sentence, is_transient=True, retry_after_s=rest_s)
    if row.free_at > now:
        return (row.free_at - now).total_seconds()
    row.free_at = now + dt.timedelta(seconds=snapshot()["ingest.archive_pause_seconds"])
    row.save()
    return 0.0


@contextmanager
def in_turn(url: str) -> Iterator[None]:
    """Ask a server in its turn; where it fails, or wants to be left alone, it is."""
    host = host_of(url)
    wait_for_turn(host)
    try:
        yield
    except DownloadFailed as failure:
        note_failure(host, failure)
        raise
    note_answer(host)


def note_answer(host: str) -> None:
    """Put down that a server answers again."""
    ArchiveHost.objects.filter(name=host, failures__gt=0).update(failures=0, resting_until=None, reason="")


@transaction.atomic
def note_failure(host: str, failure: DownloadFailed) -> None:
    """Let a server rest that failed or asked for it; what it says of one file alone is no reason."""
    if not failure.is_transient or failure.status not in _OF_SERVER or failure.has_begun:
        return
    row = ArchiveHost.objects.select_for_update().filter(name=host).first()
    now = database_now()
    if row is None or (row.resting_until is not None and row.resting_until > now):
        return
    rest_s = max(rest_after(row.failures), failure.retry_after_s or 0.0)
    row.failures, row.reason = row.failures + 1, str(failure)
    row.resting_until = now + dt.timedelta(seconds=rest_s)
    row.save()


def rest_left(host: str) -> float | None:
    """Return for how many seconds a server is left alone, None where it is not."""
    row = ArchiveHost.objects.filter(name=host, resting_until__isnull=False).first()
    left = (row.resting_until - database_now()).total_seconds() if row and row.resting_until else 0.0
    return left if left > 0 else None


def rest_after(failures: int) -> float:
    """Return how many seconds to wait after so many failures before this one."""
    return min(_FIRST_REST_S * 2.0 ** min(failures, 20), _LONGEST_REST_S) * random.uniform(*_JITTER)  # noqa: S311
