"""While a backup copies files nobody removes any that a row may still name: the two hold one lock of the database.

Whoever removes shares it, and lets it be while a backup holds it alone; it tries again later.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

# Any number that nothing else uses.
_LOCK = 0xF11E
# Nobody removes for longer at a time.
_PATIENCE_SECONDS = 120.0


class BackupUnderWay(Exception):
    """Another backup is being made, or somebody removes files without end."""


@contextmanager
def allowed() -> Iterator[bool]:
    """Tell whether files may be removed during the block: not while a backup is made."""
    if not _asked("pg_try_advisory_lock_shared"):
        yield False
        return
    try:
        yield True
    finally:
        _asked("pg_advisory_unlock_shared")


@contextmanager
def suspended() -> Iterator[None]:
    """Let nobody remove files during the block. Raises BackupUnderWay where another backup is being made."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not _asked("pg_try_advisory_lock"):
        if time.monotonic() > deadline:
            raise BackupUnderWay("Another backup of this site is being made: wait for it to end.")
        time.sleep(0.5)
    try:
        yield
    finally:
        _asked("pg_advisory_unlock")


def _asked(function: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {function}(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])
